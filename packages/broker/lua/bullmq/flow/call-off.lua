--[[
  Has whoever takes a message of a flow from now on look for a result first: calls that have not been sent may be revoked.

  KEYS[1]       the flow
  ARGV          numbers of calls; none for all

  Returns nothing if there is no such flow, else { numbers of those that have not ended, queues as JSON, ids that follow no rule as JSON, numbers of links as JSON }
]]
local call = redis.call
local head = call("HMGET", KEYS[1], "left", "calls", "queues", "odd", "links")
if not head[1] then return false end
call("HSET", KEYS[1], "resent", "1")
local numbers, open = ARGV, {}
if #numbers == 0 then
  numbers = {}
  for number = 0, tonumber(head[2]) - 1 do numbers[number + 1] = number end
end
for _, number in ipairs(numbers) do
  if call("GETBIT", KEYS[1] .. ":done", number) == 0 then open[#open + 1] = tonumber(number) end
end
return { open, head[3], head[4], head[5] }
