--[[
  Ends a term, if it is not over.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       channel of the beats
]]
--- @include bullmq/beat/entries

if call("GET", leader) ~= ARGV[1] then return end
call("DEL", leader)
tell(ARGV[2], "resigned")
