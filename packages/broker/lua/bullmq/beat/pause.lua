--[[
  Pauses an entry, or resumes it: then it is to be computed.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       its name
  ARGV[2]       "1" to pause it, "" to resume it
  ARGV[3]       its version from then on, new
  ARGV[4]       channel of the beats

  Returns 1, or 0 if there is none of this name
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local key, pausing = Entries.keyOf(ARGV[1]), ARGV[2] == "1"
local stored = call("HMGET", key, "version", "paused")
if not stored[1] then return 0 end
if (stored[2] == "1") == pausing then return 1 end
-- A full Redis refuses a script's first write, unless that removes something, and no later one: a flood can be stopped. What says that it is paused comes last: if something is refused,
-- the next try does all of it.
call("HDEL", key, "term")
if pausing then call("HSET", key, "version", ARGV[3])
else call("HSET", key, "version", ARGV[3], "resumedAt", Entries.timeOfServer()) end
call("ZADD", Entries.index, pausing and "+inf" or "0", ARGV[1])
if pausing then call("HSET", key, "paused", "1") else call("HDEL", key, "paused") end
Entries.tell(ARGV[4], "changed")
return 1
