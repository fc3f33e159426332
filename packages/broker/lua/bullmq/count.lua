--[[
  Counts that deliveries start to run, or have ended without being settled: one that has started and not ended is a crash.

  KEYS[q]       what the keys of queue q start with
  ARGV[4d-3]    queue of delivery d, an index into KEYS
  ARGV[4d-2]    id
  ARGV[4d-1]    number of the delivery
  ARGV[4d]      its token: it begins, if it is still on loan; "": it has ended

  Returns for each delivery: 1 counted, 0 not on loan any more
]]
local StartedDeliveries = require("parts/started-deliveries")

local replies = {}
for d = 1, #ARGV / 4 do
  local job, number, token = KEYS[tonumber(ARGV[4 * d - 3])] .. ARGV[4 * d - 2], ARGV[4 * d - 1], ARGV[4 * d]
  replies[d] = 0
  if token == "" then
    if redis.call("EXISTS", job) == 1 then
      StartedDeliveries.remove(job, number)
      replies[d] = 1
    end
  elseif redis.call("GET", job .. ":lock") == token then
    StartedDeliveries.add(job, number)
    -- Somebody knows it: if it comes to one who does not, that is a time of its own.
    redis.call("HDEL", job, "unknownSince")
    replies[d] = 1
  end
end
return replies
