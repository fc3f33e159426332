--[[
  Begins a term, unless somebody leads.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term, new
  ARGV[2]       how long it lasts, ms

  Returns the number of the term, or false
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local token = ARGV[1]
local current = call("GET", Entries.leader)
-- The reply to an earlier try was lost.
if current == token then
  call("PEXPIRE", Entries.leader, ARGV[2])
  return tonumber(call("GET", KEYS[1] .. "epoch"))
end
if current then
  -- The clock of the server has gone back, or somebody took the end away: a dead leader must not lead for longer than one that lives.
  local left = call("PTTL", Entries.leader)
  if left < 0 or left > tonumber(ARGV[2]) then call("PEXPIRE", Entries.leader, ARGV[2]) end
  return false
end
local epoch = call("INCR", KEYS[1] .. "epoch")
call("DEL", Entries.leftOut)
call("SET", Entries.leader, token, "PX", ARGV[2])
return epoch
