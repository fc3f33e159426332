--[[
  Keeps a part of a flow that is to begin.

  KEYS[1]       the flow
  KEYS[2]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       its id
  ARGV[3...]    fields and values
]]
if redis.call("HEXISTS", KEYS[1], "remaining") == 1 then return end
-- In the index first: what is kept and stands there nowhere would never be removed.
redis.call("ZADD", KEYS[2], ARGV[1], ARGV[2])
for at = 3, #ARGV, 1000 do redis.call("HSET", KEYS[1], unpack(ARGV, at, math.min(at + 999, #ARGV))) end
