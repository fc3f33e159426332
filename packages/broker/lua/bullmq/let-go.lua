--[[
  Puts back what a worker has on loan whose process is about to be ended from outside its event loop.

  KEYS[q]       what the keys of queue q start with
  ARGV[4d-3]    queue of delivery d, an index into KEYS
  ARGV[4d-2]    id
  ARGV[4d-1]    token
  ARGV[4d]      "back": it is no crash; "crashed": it is one; else the verdict with which whoever takes it settles it

  Returns for each delivery: 1 put back, 0 not on loan here any more
]]
local call = redis.call
local Attempt, PutBack = require("parts/attempt"), require("parts/put-back")

local function letGo(prefix, id, token, how)
  if call("GET", prefix .. id .. ":lock") ~= token then return 0 end
  if how ~= "back" and how ~= "crashed" then call("HSET", prefix .. id, "verdict", how) end
  local reply = PutBack.job(prefix, id, token, how == "crashed")
  return reply >= 0 and 1 or 0
end

-- One whose keys somebody has spoilt is left to its lease, and keeps no other from its queue.
local replies = {}
for d = 1, #ARGV / 4 do
  local given = { KEYS[tonumber(ARGV[4 * d - 3])], ARGV[4 * d - 2], ARGV[4 * d - 1], ARGV[4 * d] }
  local ok, reply = pcall(letGo, unpack(given))
  if not ok and not Attempt.isWrongType(reply) then letGo(unpack(given)) end
  replies[d] = ok and reply or 0
end
return replies
