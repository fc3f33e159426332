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
for _, name in ipairs(names) do due[#due + 1] = read(name) or nil end
local following = call("ZRANGE", index, #names, #names, "WITHSCORES")
return { timeOfServer(), due, following[2] or false }
