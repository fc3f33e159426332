--[[
  Whether a script may store results: selects, writes and publishes as an exchange will. Fails where one of these is not allowed.

  KEYS[1]       a key of the result backend, free to use
  ARGV[1]       database of the result backend
  ARGV[2]       own database
  ARGV[3]       a channel, free to use
]]
redis.call("SELECT", ARGV[1])
-- First, as an exchange does it: a full Redis refuses a script's first write, never a later one.
redis.call("DEL", KEYS[1])
redis.call("SET", KEYS[1], "1", "PX", 1000)
redis.call("GETRANGE", KEYS[1], 0, 1)
redis.call("DEL", KEYS[1])
redis.call("PUBLISH", ARGV[3], "")
redis.call("SELECT", ARGV[2])
return redis.status_reply("OK")
