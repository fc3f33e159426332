--[[
  Counts that deliveries begin to run, or have ended without being settled: what has begun and not ended is a crash.

  KEYS[q]       what the keys of queue q start with
  ARGV[3d-2]    queue of delivery d, an index into KEYS
  ARGV[3d-1]    id
  ARGV[3d]      its token: it begins, if it is still on loan; "": it has ended

  Returns for each delivery: 1 counted, 0 not on loan any more
]]
local replies = {}
for d = 1, #ARGV / 3 do
  local job, token = KEYS[tonumber(ARGV[3 * d - 2])] .. ARGV[3 * d - 1], ARGV[3 * d]
  local counts = token == "" and redis.call("EXISTS", job) == 1 or redis.call("GET", job .. ":lock") == token
  if counts then redis.call("HINCRBY", job, token == "" and "ends" or "claims", 1) end
  replies[d] = counts and 1 or 0
end
return replies
