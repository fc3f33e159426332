--[[
  Flows that have not gone on for a while, those that have stood longest first. What was kept of flows that never began, for an hour, is removed.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       how long they have not gone on, ms

  Returns for each: { id, 1 if something is left to do, queues, ids that follow no rule, time to live and reply channel of results, numbers of the calls
      that were sent and have not ended, at most 1000 of all flows }
]]
local call = redis.call
local now, flowKeys = tonumber(ARGV[1]), ARGV[2]
-- Bytes: each stands for eight calls.
local most = { flows = 100, calls = 1000, bytes = 64 * 1024 }
local unbegun = 3600000

-- Adds to `found` the calls whose bits are in `sent` and not in `done`.
local function open(sent, done, found, room)
  for at = 1, #sent do
    local bits = bit.band(string.byte(sent, at), bit.bnot(string.byte(done, at) or 0))
    if bits > 0 then
      for number = 0, 7 do
        if #found == room then return end
        if bit.band(bits, bit.rshift(128, number)) > 0 then found[#found + 1] = (at - 1) * 8 + number end
      end
    end
  end
end

local flows = {}
for _, id in ipairs(call("ZRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[3], "LIMIT", 0, most.flows)) do
  local key = flowKeys .. id
  local head = call("HMGET", key, "left", "queues", "odd", "expires", "to")
  if head[1] then
    local sent, done, numbers = call("GET", key .. ":sent") or "", call("GET", key .. ":done") or "", {}
    open(sent, done, numbers, most.calls)
    call("ZADD", KEYS[1], now, id)
    flows[#flows + 1] = { id, call("EXISTS", key .. ":backlog", key .. ":doom") > 0 and 1 or 0, head[2], head[3], head[4], head[5] or "", numbers }
    most.calls = most.calls - #numbers
    most.bytes = most.bytes - #sent
    if most.calls <= 0 or most.bytes <= 0 then break end
  elseif tonumber(call("ZSCORE", KEYS[1], id)) < now - unbegun then
    call("DEL", key)
    call("ZREM", KEYS[1], id)
  end
end
return flows
