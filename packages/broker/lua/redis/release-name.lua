--[[
  Gives up the name of a worker, unless somebody else holds it.

  KEYS[1]       who holds the name, a hash
  ARGV[1]       token of whoever gives it up

  Returns 1 if it held the name, else 0
]]
if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])
