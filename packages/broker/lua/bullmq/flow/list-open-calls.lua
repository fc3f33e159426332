--[[
  Lists which calls of a flow were sent, by themselves and not by others in their place, and have not ended.

  ARGV[1]       key of the flow
  ARGV[2...]    numbers of calls

  Returns those numbers, as texts
]]
local open = {}
for i = 2, #ARGV do
  if redis.call("GETBIT", ARGV[1] .. ":sent", ARGV[i]) == 1 and redis.call("GETBIT", ARGV[1] .. ":done", ARGV[i]) == 0 then open[#open + 1] = ARGV[i] end
end
return open
