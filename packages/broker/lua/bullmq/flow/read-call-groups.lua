--[[
  Reads what flows say of their calls, for all flows of a take at once.

  ARGV[f]       key of flow f

  Returns for each flow its fields callGroups and customIds; neither where its key holds a value of another type. Fails if one is kept in another layout.
]]
local StoredFlow = require("bullmq/flow/stored-flow")
local replies = {}
for f, key in ipairs(ARGV) do
  local fields = StoredFlow.ask("HMGET", key, "callGroups", "customIds", "remaining", "layout")
  if fields then StoredFlow.checkLayout(key, string.match(key, "[^:]*$"), fields[3], fields[4]) end
  replies[f] = fields and { fields[1], fields[2] } or {}
end
return replies
