--[[
  Puts back what was taken by calls whose replies were lost: nobody runs it, so it need not wait until its lease has run out, and it is no crash.

  KEYS[q]       what the keys of queue q start with
  ARGV[i]       what the tokens of call i start with, up to the number of the token

  Returns how many jobs were put back
]]
local call = redis.call
local Attempt, PutBack = require("parts/attempt"), require("parts/put-back")

-- So many locks are read at a time: Lua's stack is not endless.
local most = 1000

local function isLost(token)
  for _, start in ipairs(ARGV) do
    if string.sub(token, 1, #start) == start then return true end
  end
  return false
end

local count = 0
local function putBackAll(prefix)
  local ids = call("LRANGE", prefix .. "active", 0, -1)
  for from = 1, #ids, most do
    local locks = {}
    for i = from, math.min(from + most - 1, #ids) do locks[#locks + 1] = prefix .. ids[i] .. ":lock" end
    for i, token in ipairs(call("MGET", unpack(locks))) do
      if token and isLost(token) and PutBack.job(prefix, ids[from + i - 1], token) >= 0 then count = count + 1 end
    end
  end
end

-- A queue whose keys somebody has spoilt is left to the leases, and keeps no other from being looked into.
for _, prefix in ipairs(KEYS) do
  local ok, reply = pcall(putBackAll, prefix)
  if not ok and not Attempt.isWrongType(reply) then putBackAll(prefix) end
end
return count
