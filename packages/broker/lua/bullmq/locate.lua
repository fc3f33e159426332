--[[
  Where tasks are.

  KEYS[q]       what the keys of queue q start with
  ARGV          for each task: its id, the number of its queues, and each queue, an index into KEYS

  Returns for each task: 1 waiting, 2 taken, 0 in none of the queues or finished; of one that waits and is revoked, why
]]
local function locate(id, first, last)
  for i = first, last do
    local key = KEYS[tonumber(ARGV[i])] .. id
    local job = redis.call("HMGET", key, "timestamp", "finishedOn", "revoked")
    if job[1] and not job[2] then
      return redis.call("EXISTS", key .. ":lock") == 1 and 2 or job[3] or 1
    end
  end
  return 0
end

local replies = {}
local at = 1
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  replies[#replies + 1] = locate(ARGV[at], at + 2, at + 1 + count)
  at = at + 2 + count
end
return replies
