--[[
  What a leader has to do next.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       time, ms
  ARGV[2]       how many entries at most

  Returns { time of the server, ms; the entries that are due by ARGV[1] or are to be computed, as `read` in `entries.lua` gives them; when
      the next of the others is due, "inf" for never, false if there is none }
]]
--- @include bullmq/beat/entries

local due = {}
local names = call("ZRANGEBYSCORE", index, "-inf", ARGV[1], "LIMIT", 0, ARGV[2])
for _, name in ipairs(names) do
  local entry = read(name)
  -- One that Redis has lost must not stand before the others for ever.
  if not entry then call("ZREM", index, name) end
  due[#due + 1] = entry or nil
end
local following = call("ZRANGE", index, #due, #due, "WITHSCORES")
return { timeOfServer(), due, following[2] or false }
