--[[
  Flows that have not gone on for a while, those that have stood longest first. What was kept of flows that never began, for an hour, is removed.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       how long they have not gone on, ms

  Returns for each: { id, length of its backlog, queues, ids that follow no rule, edges, time to live and reply channel of results, numbers of the calls that were sent and have not ended, at most 1000 }
]]
local call = redis.call
local now, flowKeys = tonumber(ARGV[1]), ARGV[2]
local most = { flows = 100, calls = 1000 }
local unbegun = 3600000

local function sentOf(key, count)
  local waiting, sent = {}, {}
  for _, field in ipairs(call("HKEYS", key)) do waiting[field] = true end
  for number = 0, count - 1 do
    if #sent == most.calls then break end
    if not waiting["c" .. number] and call("GETBIT", key .. ":done", number) == 0 then sent[#sent + 1] = number end
  end
  return sent
end

local flows = {}
for _, id in ipairs(call("ZRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[3], "LIMIT", 0, most.flows)) do
  local key = flowKeys .. id
  local head = call("HMGET", key, "left", "calls", "queues", "odd", "edges", "expires", "to")
  if head[1] then
    call("ZADD", KEYS[1], now, id)
    flows[#flows + 1] = { id, call("LLEN", key .. ":backlog"), head[3], head[4], head[5], head[6], head[7], sentOf(key, tonumber(head[2])) }
  elseif tonumber(call("ZSCORE", KEYS[1], id)) < now - unbegun then
    call("DEL", key)
    call("ZREM", KEYS[1], id)
  end
end
return flows
