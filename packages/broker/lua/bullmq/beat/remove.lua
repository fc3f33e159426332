--[[
  Removes an entry.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       its name
  ARGV[2]       token of the removal, new: known for a minute, for those whose reply was lost
  ARGV[3]       channel of the beats

  Returns 1, or 0 if there is none of this name
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local receipt = KEYS[1] .. "removed:" .. ARGV[2]
if call("EXISTS", receipt) == 1 then return 1 end
local key = Entries.keyOf(ARGV[1])
-- Nothing is deleted yet, and a full Redis lets what is written next pass.
call("DEL", receipt)
if call("EXISTS", key) == 1 and not Entries.isOther(key) and call("HGET", key, "origin") == "options" then call("SADD", Entries.leftOut, ARGV[1]) end
if Entries.drop(ARGV[1]) == 0 then return 0 end
call("SET", receipt, "", "PX", 60000)
Entries.tell(ARGV[3], "changed")
return 1
