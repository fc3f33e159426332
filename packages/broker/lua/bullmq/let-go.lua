--[[
  Puts back what a worker has on loan whose process is about to be ended from outside its event loop.

  KEYS[q]       what the keys of queue q start with
  ARGV[4d-3]    queue of delivery d, an index into KEYS
  ARGV[4d-2]    id
  ARGV[4d-1]    token
  ARGV[4d]      "back": it is no crash; "crashed": it is one; else the verdict with which whoever takes it settles it

  Returns for each delivery: 1 put back, 0 not on loan here any more
]]
--- @include parts/begun
local call = redis.call
--- @include parts/put-back

local replies = {}
for d = 1, #ARGV / 4 do
  local prefix, id, token, how = KEYS[tonumber(ARGV[4 * d - 3])], ARGV[4 * d - 2], ARGV[4 * d - 1], ARGV[4 * d]
  replies[d] = 0
  if call("GET", prefix .. id .. ":lock") == token then
    if how ~= "back" and how ~= "crashed" then call("HSET", prefix .. id, "verdict", how) end
    local reply
    if how == "crashed" then reply = requeue(prefix, id, token) else reply = putBack(prefix, id, token) end
    if reply >= 0 then replies[d] = 1 end
  end
end
return replies
