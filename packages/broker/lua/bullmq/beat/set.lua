--[[
  Stores an entry at run time, in the place of one of its name.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       its name
  ARGV[2]       its call, JSON
  ARGV[3]       its version, new
  ARGV[4]       channel of the beats
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

-- The reply to an earlier try was lost.
local key = Entries.keyOf(ARGV[1])
if not Entries.isOther(key) and call("HGET", key, "version") == ARGV[3] then return end
Entries.store(ARGV[1], ARGV[2], "runtime", ARGV[3], Entries.timeOfServer())
Entries.tell(ARGV[4], "changed")
