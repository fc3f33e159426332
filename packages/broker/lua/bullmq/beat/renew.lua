--[[
  Holds on to a term.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       how long it lasts from now on, ms

  Returns 1, or 0 if it is over
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

if call("GET", Entries.leader) ~= ARGV[1] then return 0 end
return call("PEXPIRE", Entries.leader, ARGV[2])
