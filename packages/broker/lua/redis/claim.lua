--[[
  Claims tasks for a delivery, so that lower deliveries can store nothing any more.

  KEYS[i]       record of task i
  ARGV[3i-2]    delivery number
  ARGV[3i-1]    time to live of the claim, ms
  ARGV[3i]      the record that says so: JSON that starts with {"state":"STARTED","delivery":n

  Returns for each task: 0 claimed, 2 fenced (a later delivery has claimed it), or the record of a task that has a terminal state
]]
--- @include parts/record-state

local replies = {}
for i, key in ipairs(KEYS) do
  local delivery, ttl, record = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local state, claimed = stateOf(key)
  if terminal[state] then
    replies[i] = redis.call("GET", key)
  elseif claimed and claimed > tonumber(delivery) then
    replies[i] = 2
  else
    redis.call("SET", key, record, "PX", ttl)
    replies[i] = 0
  end
end
return replies
