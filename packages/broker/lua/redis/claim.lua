--[[
  Claims tasks for a delivery, so that lower deliveries can store nothing any more.

  KEYS[i]       record of task i
  ARGV[1]       longest record that is read, in bytes
  ARGV[3i-1]    delivery number
  ARGV[3i]      time to live of the claim, ms
  ARGV[3i+1]    the record that says so: JSON that starts with {"state":"STARTED","delivery":n

  Returns for each task: 0 claimed, 2 fenced (a later delivery has claimed it), or the record of a task that has a terminal state, cut one byte behind the longest
]]
local RecordState = require("parts/record-state")

local replies = {}
for i, key in ipairs(KEYS) do
  local delivery, ttl, record = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local state, claimed = RecordState.of(key)
  if RecordState.terminal[state] then
    replies[i] = redis.call("GETRANGE", key, 0, ARGV[1])
  elseif claimed and claimed > tonumber(delivery) then
    replies[i] = 2
  else
    redis.call("SET", key, record, "PX", ttl)
    replies[i] = 0
  end
end
return replies
