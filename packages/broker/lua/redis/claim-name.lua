--[[
  Claims the name of a worker, or keeps it: one that nobody holds goes to whoever asks first.

  KEYS[1]       who holds the name, a hash
  ARGV[1]       token of whoever asks
  ARGV[2]       time to live, ms
  ARGV[3]       host of whoever asks
  ARGV[4]       its process id
  ARGV[5]       since when it works, ms since the epoch

  Returns 0 if it holds the name; else host, process id and start of whoever does, each cut to 200 bytes
]]
local holder = redis.call("HGET", KEYS[1], "token")
if holder and holder ~= ARGV[1] then
  local facts = redis.call("HMGET", KEYS[1], "host", "pid", "startedAt")
  for i = 1, 3 do facts[i] = string.sub(facts[i] or "", 1, 200) end
  return facts
end
if not holder then redis.call("HSET", KEYS[1], "token", ARGV[1], "host", ARGV[3], "pid", ARGV[4], "startedAt", ARGV[5]) end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 0
