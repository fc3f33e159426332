--[[
  Holds on to a term.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       how long it lasts from now on, ms

  Returns 1, or 0 if it is over
]]
--- @include bullmq/beat/entries

if call("GET", leader) ~= ARGV[1] then return 0 end
return call("PEXPIRE", leader, ARGV[2])
