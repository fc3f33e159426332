--[[
  Which commands the user of a script may not run. Each is tried on a string, on which most of them fail, and none leaves anything.

  KEYS[1]       a key that is free to use
  ARGV          the commands, each with the number of its arguments and these; "key" stands for the key

  Returns those that are refused
]]
local missing = {}

local function try(...)
  local reply = redis.pcall(...)
  local why = type(reply) == "table" and reply.err or ""
  return not string.find(why, "can't run this command", 1, true) and not string.find(why, "NOPERM", 1, true)
end

-- Without it there is no string, and what would make something else is not tried.
local isThere = try("SET", KEYS[1], "text", "PX", 1000)
if not isThere then missing[1] = "SET" end
local makes = { LPUSH = true, RPUSH = true, SADD = true, ZADD = true, HSET = true, HMSET = true, HSETNX = true, HINCRBY = true, INCR = true, INCRBY = true, XADD = true, SETBIT = true }

local at = 1
while at <= #ARGV do
  local command, count = ARGV[at], tonumber(ARGV[at + 1])
  local args = {}
  for n = 1, count do
    local arg = ARGV[at + 1 + n]
    args[n] = arg == "key" and KEYS[1] or arg
  end
  if (isThere or not makes[command]) and not try(command, unpack(args)) then missing[#missing + 1] = command end
  at = at + 2 + count
end
redis.pcall("DEL", KEYS[1])
return missing
