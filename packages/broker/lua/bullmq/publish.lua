--[[
  Adds messages without priority and delay to their queues: in few commands, what BullMQ's addStandardJob writes for them one by one.
  A message whose id is already there is left as it is.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  then for each queue how many messages follow, and for each of these its id, the name of its task, and the message, encoded

  Returns { m, why } for each message that was not added, m counted over all queues
]]
local call = redis.call
local now = ARGV[1]

-- Adds the `count` messages behind ARGV[at]. What is only read comes first, then INCRBY: a full Redis refuses it, as it refuses a script's
-- first write and no later one, so all is done or nothing. A job follows upon its place in `wait`: whatever is there counts as sent.
local function add(prefix, at, count)
  local events, meta = prefix .. "events", prefix .. "meta"
  local keys, ids, positions = {}, {}, {}
  for m = 1, count do keys[m] = prefix .. ARGV[at + 3 * m - 2] end
  local none = call("EXISTS", unpack(keys)) == 0
  for m = 1, count do
    local id = ARGV[at + 3 * m - 2]
    if not positions[id] and (none or call("EXISTS", keys[m]) == 0) then
      positions[id] = m
      ids[#ids + 1] = id
    end
  end
  local settings = call("HMGET", meta, "opts.maxLenEvents", "paused", "concurrency")
  local longest = settings[1] or "10000"
  local heldBack = settings[2] or settings[3] and call("LLEN", prefix .. "active") >= tonumber(settings[3])

  call("INCRBY", prefix .. "id", count)
  if not settings[1] then call("HSET", meta, "opts.maxLenEvents", longest) end
  if #ids > 0 then call("LPUSH", prefix .. "wait", unpack(ids)) end
  for id, m in pairs(positions) do
    call("HSET", keys[m], "name", ARGV[at + 3 * m - 1], "data", ARGV[at + 3 * m], "opts", '{"jobId":"' .. id .. '","attempts":0}',
      "timestamp", now, "delay", "0", "priority", "0")
  end
  if #ids > 0 and not heldBack then call("ZADD", prefix .. "marker", "0", "0") end
  for m = 1, count do
    local id = ARGV[at + 3 * m - 2]
    if positions[id] == m then
      call("XADD", events, "*", "event", "added", "jobId", id, "name", ARGV[at + 3 * m - 1])
      call("XADD", events, "*", "event", "waiting", "jobId", id)
    else
      call("XADD", events, "*", "event", "duplicated", "jobId", id)
    end
  end
  call("XTRIM", events, "MAXLEN", "~", longest)
end

local refused = {}
local at, before = 2, 0
for _, prefix in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  local ok, reply = pcall(add, prefix, at, count)
  if not ok then
    local why = type(reply) == "table" and reply.err or tostring(reply)
    -- It concerns the whole call, of which nothing was written.
    if string.find(why, "OOM", 1, true) or string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
    for m = before + 1, before + count do refused[#refused + 1] = { m, why } end
  end
  at, before = at + 1 + 3 * count, before + count
end
return refused
