--[[
  Which of the entries that a leader has stored are not there any more, though nobody has removed them.

  KEYS[1]       what the keys of beat start with
  ARGV          their names

  Returns the names of those
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local lost = {}
for _, name in ipairs(ARGV) do
  local kept = call("HEXISTS", Entries.keyOf(name), "call") == 1 and call("ZSCORE", Entries.index, name)
  if not kept and call("SISMEMBER", Entries.leftOut, name) == 0 then lost[#lost + 1] = name end
end
return lost
