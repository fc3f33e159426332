--[[
  Stores task records and tells those who wait. The first terminal state wins; a delivery lower than the claimed one is refused.

  KEYS[i]       record of task i
  ARGV[1]       longest record that is sent along with a notification, in bytes
  ARGV[5i-3]    id of task i
  ARGV[5i-2]    delivery number
  ARGV[5i-1]    time to live, ms
  ARGV[5i]      the record: JSON that starts with {"state":"…","delivery":n
  ARGV[5i+1]    channel to notify, or ""

  Returns for each task: 0 stored, 1 superseded (it has a terminal state), 2 fenced (a later delivery has claimed it)
]]
local terminal = { SUCCESS = true, FAILURE = true, REVOKED = true }
local largest = tonumber(ARGV[1])
local replies = {}

for i, key in ipairs(KEYS) do
  local id, delivery, ttl, record, channel = ARGV[5 * i - 3], ARGV[5 * i - 2], ARGV[5 * i - 1], ARGV[5 * i], ARGV[5 * i + 1]
  local reply = 0
  if not redis.call("SET", key, record, "PX", ttl, "NX") then
    local head = redis.call("GETRANGE", key, 0, 120)
    local state, claimed = string.match(head, '^{"state":"([^"]*)","delivery":(%d+)')
    if terminal[state] then
      reply = 1
    elseif claimed and tonumber(claimed) > tonumber(delivery) then
      reply = 2
    else
      redis.call("SET", key, record, "PX", ttl)
    end
  end
  if reply == 0 and channel ~= "" then
    redis.call("PUBLISH", channel, #record <= largest and id .. record or id)
  end
  replies[i] = reply
end

return replies
