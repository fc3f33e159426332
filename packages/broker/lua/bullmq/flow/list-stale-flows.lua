--[[
  Lists flows that have not gone on for a while, those that have stood longest first. What was kept of flows that never began, for an hour, is removed.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       how long they have not gone on, ms

  Returns for each: { id, 1 if something is left to do, queues, ids that do not follow from the flow's, time to live and reply channel of results, numbers of the calls
      that were sent and have not ended, at most 1000 of all flows }, or { id, -1, why it is left alone } for one of another layout
]]
local call = redis.call
local now, flowKeys = tonumber(ARGV[1]), ARGV[2]
-- Of all flows: entries of the index, flows, calls, and bytes, each of which stands for eight calls; and bytes of one flow.
local most = { entries = 1000, flows = 100, calls = 1000, bytes = 64 * 1024, ofOne = 512 * 1024 }
local unbegun, chunk = 3600000, 8192
local StoredFlow = require("bullmq/flow/stored-flow")

-- Adds to `found` the calls whose bits are in `sent` and not in `done`, of which the first bits are those of the call `first`.
local function open(sent, done, first, found, room)
  for at = 1, #sent do
    local bits = bit.band(string.byte(sent, at), bit.bnot(string.byte(done, at) or 0))
    if bits > 0 then
      for number = 0, 7 do
        if #found == room then return end
        if bit.band(bits, bit.rshift(128, number)) > 0 then found[#found + 1] = first + (at - 1) * 8 + number end
      end
    end
  end
end

-- The calls of a flow that were sent and have not ended, `room` at most; and how many bytes were looked at.
local function openIn(key, calls, room)
  local found = {}
  local bytes = math.min(StoredFlow.ask("STRLEN", key .. ":sent") or 0, math.ceil(calls / 8), most.ofOne)
  for from = 0, bytes - 1, chunk do
    local to = math.min(from + chunk, bytes) - 1
    local sent, done = call("GETRANGE", key .. ":sent", from, to), StoredFlow.ask("GETRANGE", key .. ":done", from, to) or ""
    if sent ~= done then open(sent, done, from * 8, found, room) end
    if #found == room then break end
  end
  return found, bytes
end

local flows = {}
for _, id in ipairs(call("ZRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[3], "LIMIT", 0, most.entries)) do
  local key = flowKeys .. id
  local head = StoredFlow.ask("HMGET", key, "remaining", "queues", "customIds", "expires", "replyTo", "calls", "added", "layout")
  local otherLayout = head and StoredFlow.otherLayout(key, id, head[1], head[8])
  local calls = not otherLayout and head and head[1] and head[2] and head[3] and tonumber(head[6] or nil)
  if calls then
    local numbers, bytes = openIn(key, calls, most.calls)
    call("ZADD", KEYS[1], now, id)
    flows[#flows + 1] = { id, call("EXISTS", key .. ":backlog", key .. ":cascade") > 0 and 1 or 0, head[2], StoredFlow.customIdsWithAdded(key, head[3], tonumber(head[7] or nil), numbers), head[4],
      head[5] or "", numbers }
    most.calls = most.calls - #numbers
    most.bytes = most.bytes - bytes
    if #flows == most.flows or most.calls <= 0 or most.bytes <= 0 then break end
  elseif otherLayout then
    call("ZADD", KEYS[1], now, id)
    flows[#flows + 1] = { id, -1, otherLayout }
    if #flows == most.flows then break end
  elseif not head then
    call("ZREM", KEYS[1], id)
  elseif head[1] then
    -- Whatever it is, it must not stand before the others.
    call("ZADD", KEYS[1], now, id)
  elseif tonumber(call("ZSCORE", KEYS[1], id)) < now - unbegun then
    call("DEL", key)
    call("ZREM", KEYS[1], id)
  end
end
return flows
