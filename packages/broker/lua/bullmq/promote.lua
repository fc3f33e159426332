--[[
  Moves messages that wait to the front of their queues, so that they are taken next, the first of them first. Moves nothing in a queue that is paused, no message that is not due yet, and none that
  is on loan or has ended.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  ARGV[2]       how many messages of each end of a queue are looked at for one id
  then for each id the id, how many queues it may be in, and the number of each

  Returns for each id: 1 if it was moved, else 0
]]
local call = redis.call
local now, depth = tonumber(ARGV[1]), ARGV[2]

-- BullMQ keeps the time in the upper bits of the score.
local function isDue(score)
  return tonumber(score) < (now + 1) * 0x1000
end

-- From both ends: new messages come in at the head, and the tail is taken from.
local function isWaiting(prefix, id)
  return call("LPOS", prefix .. "wait", id, "MAXLEN", depth) or call("LPOS", prefix .. "wait", id, "RANK", -1, "MAXLEN", depth)
end

-- Written to its new place before it leaves the old one: a script that fails between the two loses nothing. The first command deletes nothing: it asks whether that is allowed.
local function toFront(prefix, id)
  call("ZREM", prefix .. "delayed", "")
  call("RPUSH", prefix .. "wait", id)
end

local function move(prefix, id)
  local key = prefix .. id
  local job = call("HMGET", key, "timestamp", "finishedOn")
  if not job[1] or job[2] or call("EXISTS", key .. ":lock") == 1 then return 0 end
  if call("HEXISTS", prefix .. "meta", "paused") == 1 then return 0 end
  local delayed = call("ZSCORE", prefix .. "delayed", id)
  if delayed and not isDue(delayed) then return 0 end
  if call("ZSCORE", prefix .. "prioritized", id) then
    toFront(prefix, id)
    call("ZREM", prefix .. "prioritized", id)
  elseif delayed then
    toFront(prefix, id)
    call("ZREM", prefix .. "delayed", id)
    call("XADD", prefix .. "events", "*", "event", "waiting", "jobId", id, "prev", "delayed")
    call("HSET", key, "delay", 0)
  elseif isWaiting(prefix, id) then
    toFront(prefix, id)
    -- From the head: the older of the two.
    call("LREM", prefix .. "wait", 1, id)
  else
    return 0
  end
  call("ZADD", prefix .. "marker", 0, "0")
  return 1
end

-- One whose keys somebody has spoilt stays where it is.
local function moved(prefix, id)
  local ok, reply = pcall(move, prefix, id)
  if ok then return reply end
  if require("parts/attempt").isWrongType(reply) then return 0 end
  -- Once more, so that Redis says it with its line.
  return move(prefix, id)
end

local asked = {}
local at = 3
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  asked[#asked + 1] = { ARGV[at], at + 2, at + 1 + count }
  at = at + 2 + count
end

local replies = {}
-- The last first: each is put before those that were moved before it.
for i = #asked, 1, -1 do
  local id, first, last = unpack(asked[i])
  replies[i] = 0
  for queue = first, last do
    if replies[i] == 0 then replies[i] = moved(KEYS[tonumber(ARGV[queue])], id) end
  end
end
return replies
