--[[
  Ends a term, if it is not over.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       channel of the beats
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

if call("GET", Entries.leader) ~= ARGV[1] then return end
call("DEL", Entries.leader)
Entries.tell(ARGV[2], "resigned")
