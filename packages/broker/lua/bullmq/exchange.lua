--[[
  Stores results, settles what has ended, then takes what may run: many jobs in one call.

  Plain cases (one of our messages that succeeded or failed; a queue that is neither paused nor limited, and whose due and prioritised jobs are none) are done here in batches, on
  BullMQ's keys and in its formats; all others by BullMQ's own scripts, job by job.

  KEYS[2q-1]    what the keys of queue q start with
  KEYS[2q]      morgue of queue q
  ARGV[1]       now, ms
  ARGV[2]       lease, ms
  ARGV[3]       name of the worker
  ARGV[4]       what the tokens of this call start with, never used before
  ARGV[5]       how many to take
  ARGV[6]       "strict": take from a queue until it is empty; "turns": one from each queue in turn
  ARGV[7]       how many settlements follow
  then for each settlement, 7 arguments:
    queue, id, token
    action      completed, failed, buried (failed, and kept in the morgue) or requeued
    ours        1 for one of our messages, 0 for a job of a plain BullMQ producer, whose options then count
    value       return value (JSON), or why it failed
    stack       JSON list of stacks, or ""
  then the queues in their turn, one argument each: q to look whatever its marker says, -q to look only if its marker says that there is something

  Returns { settled, deliveries, dry, trouble }
    settled     for each settlement: 0, a negative code of BullMQ's, or an error text
    deliveries  for each: { queue, id, name or false, data or false, priority or false, times taken, token }
    dry         for each queue that was looked into and gave nothing: { queue, ms of its rate limit, time of its next delayed job or 0, 1 if a limit holds jobs back }
    trouble     why taking was broken off, or false; what was settled and taken before stands
]]
--- @include removeJob

local call = redis.call
local now, lease, worker, tokens = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local kept = { completed = { count = 1000 }, failed = { count = 10000 } }
local morgueLength = 10000

--- @include bullmq/exchange/by-bullmq

-- Settling ------------------------------------------------------------------------------------------------------------------------------------------

local function longestEvents(prefix)
  local length = call("HGET", prefix .. "meta", "opts.maxLenEvents")
  if length then return length end
  call("HSET", prefix .. "meta", "opts.maxLenEvents", 10000)
  return 10000
end

-- Removes what is kept beyond the count.
local function trim(prefix, target)
  local count = kept[target].count
  local set = prefix .. target
  local ids = call("ZREVRANGE", set, count, -1)
  if #ids == 0 then return end
  local gone = {}
  for _, id in ipairs(ids) do
    local jobKey = prefix .. id
    if call("HEXISTS", jobKey, "parentKey") == 1 then
      removeJob({ jobKey, prefix .. "repeat" }, { id, 0, prefix })
    else
      gone[#gone + 1] = jobKey
      gone[#gone + 1] = jobKey .. ":logs"
    end
  end
  if #gone > 0 then call("DEL", unpack(gone)) end
  call("ZREMRANGEBYRANK", set, 0, -(count + 1))
end

-- Finishes our messages of one queue: every token is checked before anything is written, and what deletes comes first, since a full Redis refuses a script's first write, never a later one.
local function finishOurs(queue, list, settled)
  local prefix, morgue = KEYS[2 * queue - 1], KEYS[2 * queue]
  local active, events = prefix .. "active", prefix .. "events"
  local locks = {}
  for i, s in ipairs(list) do locks[i] = prefix .. s.id .. ":lock" end
  local held = call("MGET", unpack(locks))
  local owned, freed, ids = {}, {}, {}
  for i, s in ipairs(list) do
    if held[i] == s.token then
      owned[#owned + 1] = s
      freed[#freed + 1] = locks[i]
      ids[#ids + 1] = s.id
    else
      settled[s.at] = held[i] and -6 or -2
    end
  end
  if #owned == 0 then return end
  call("DEL", unpack(freed))
  call("SREM", prefix .. "stalled", unpack(ids))
  call("XTRIM", events, "MAXLEN", "~", longestEvents(prefix))
  local finished = { completed = {}, failed = {} }
  for _, s in ipairs(owned) do
    if call("LREM", active, -1, s.id) == 0 then
      settled[s.at] = -3
    else
      local jobKey = prefix .. s.id
      if s.buried then
        local job = call("HMGET", jobKey, "name", "data")
        call("XADD", morgue, "MAXLEN", "~", morgueLength, "*", "id", s.id, "at", now, "reason", s.value, "worker", worker, "name", job[1] or "", "data", job[2] or "")
      end
      local attempts = call("HINCRBY", jobKey, "atm", 1)
      if s.target == "completed" then
        call("HSET", jobKey, "returnvalue", s.value, "finishedOn", now)
        call("XADD", events, "*", "event", "completed", "jobId", s.id, "returnvalue", s.value, "prev", "active")
      else
        if s.stack ~= "" then call("HSET", jobKey, "failedReason", s.value, "finishedOn", now, "stacktrace", s.stack)
        else call("HSET", jobKey, "failedReason", s.value, "finishedOn", now) end
        call("HDEL", jobKey, "defa")
        call("XADD", events, "*", "event", "failed", "jobId", s.id, "failedReason", s.value, "prev", "active")
        call("XADD", events, "*", "event", "retries-exhausted", "jobId", s.id, "attemptsMade", attempts)
      end
      local scored = finished[s.target]
      scored[#scored + 1] = now
      scored[#scored + 1] = s.id
      settled[s.at] = 0
    end
  end
  for target, scored in pairs(finished) do
    if #scored > 0 then
      call("ZADD", prefix .. target, unpack(scored))
      trim(prefix, target)
    end
  end
  if call("EXISTS", prefix .. "wait", active, prefix .. "prioritized") == 0 then call("XADD", events, "*", "event", "drained") end
end

local function attempt(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  return type(reply) == "table" and reply.err or tostring(reply)
end

local settled, byQueue = {}, {}
local at = 8
for s = 1, tonumber(ARGV[7]) do
  local queue, id, token, action, value, stack = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 5], ARGV[at + 6]
  local prefix = KEYS[2 * queue - 1]
  if action == "requeued" then
    local reply = attempt(requeue, prefix, id, token)
    settled[s] = type(reply) == "number" and math.min(reply, 0) or reply
  elseif ARGV[at + 4] == "0" then
    local reply = attempt(finishForeign, prefix, id, token, action, value, stack)
    settled[s] = type(reply) == "number" and math.min(reply, 0) or reply
  else
    local list = byQueue[queue] or {}
    byQueue[queue] = list
    list[#list + 1] = { at = s, id = id, token = token, target = action == "completed" and action or "failed", buried = action == "buried", value = value, stack = stack }
    settled[s] = false
  end
  at = at + 7
end
for queue, list in pairs(byQueue) do
  local error = attempt(finishOurs, queue, list, settled)
  for _, s in ipairs(list) do settled[s.at] = settled[s.at] or error or "not settled" end
end

-- A replica wrote nothing: the whole call is for the primary.
for _, reply in ipairs(settled) do
  if type(reply) == "string" and string.find(reply, "READONLY", 1, true) then return redis.error_reply(reply) end
end

-- Taking --------------------------------------------------------------------------------------------------------------------------------------------

local deliveries, dry = {}, {}
local taken, wanted = 0, tonumber(ARGV[5])

local views = {}

-- What a queue has for us: a supply of plain jobs, popped `ahead` at a time, or only BullMQ's way.
local function viewOf(queue)
  local prefix = KEYS[2 * queue - 1]
  local view = { queue = queue, prefix = prefix }
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency", "max")
  local delayed = call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")
  view.unusual = meta[1] or meta[2] or meta[3] or (delayed[2] and tonumber(delayed[2]) < (tonumber(now) + 1) * 0x1000)
  view.supply = view.unusual and 0 or call("LLEN", prefix .. "wait")
  view.count = 0
  return view
end

-- A marker of score 0 says that there is a job, one of a later time that a delayed job is due then.
local function marked(prefix)
  local marker = call("ZRANGE", prefix .. "marker", 0, 0, "WITHSCORES")
  return marker[2] and tonumber(marker[2]) <= tonumber(now)
end

local function close(view, limited)
  view.closed = true
  local prefix = view.prefix
  local waiting = call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0
  if not waiting then call("ZREMRANGEBYSCORE", prefix .. "marker", 0, now) end
  local delayed = call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")
  local due = delayed[2] and tonumber(delayed[2]) / 0x1000 or 0
  dry[#dry + 1] = { view.queue, limited, due, waiting and call("HEXISTS", prefix .. "meta", "paused") == 0 and 1 or 0 }
end

-- Pops what was reserved from one queue, in one go, as RPOPLPUSH would, one by one.
local function pop(view)
  local prefix, count = view.prefix, view.count
  view.popped = true
  if count == 0 then return end
  local ids = call("LRANGE", prefix .. "wait", -count, -1)
  call("LTRIM", prefix .. "wait", 0, -(count + 1))
  local order = {}
  for i = count, 1, -1 do order[#order + 1] = ids[i] end
  call("LPUSH", prefix .. "active", unpack(order))
  view.ids, view.next = order, 0
  if call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0 then call("ZADD", prefix .. "marker", 0, "0") end
end

-- Takes or reserves the next job of a queue for a slot of this call; false when it has none.
local function reserve(view)
  if view.count < view.supply then
    view.count = view.count + 1
    taken = taken + 1
    deliveries[taken] = view
    return true
  end
  if not view.popped then pop(view) end
  local limited = 0
  if view.unusual or call("EXISTS", view.prefix .. "prioritized") == 1 then
    local delivery
    delivery, limited = takeUnusual(view.queue, view.prefix, tokens .. ":" .. (taken + 1))
    if delivery then
      taken = taken + 1
      deliveries[taken] = delivery
      return true
    end
  end
  close(view, limited)
  return false
end

local function begin(view, token)
  view.next = view.next + 1
  local id, prefix = view.ids[view.next], view.prefix
  local jobKey = prefix .. id
  local job = call("HMGET", jobKey, "name", "data", "priority", "ats")
  local times = (tonumber(job[4]) or 0) + 1
  call("SET", jobKey .. ":lock", token, "PX", lease)
  call("XADD", prefix .. "events", "*", "event", "active", "jobId", id, "prev", "waiting")
  call("HSET", jobKey, "processedOn", now, "pb", worker, "ats", times)
  return { view.queue, id, job[1], job[2], job[3], times, token }
end

local turns, open = {}, 0
local function takeAll()
  for i = at, #ARGV do
    local queue = tonumber(ARGV[i])
    local name = math.abs(queue)
    local view = views[name]
    if not view then
      if queue < 0 and not marked(KEYS[2 * name - 1]) then
        view = { closed = true }
      else
        view = viewOf(name)
        open = open + 1
      end
      views[name] = view
    end
    turns[#turns + 1] = view
  end
  while taken < wanted and open > 0 do
    for _, view in ipairs(turns) do
      while taken < wanted and not view.closed do
        if not reserve(view) then
          open = open - 1
        elseif ARGV[6] == "turns" then
          break
        end
      end
    end
  end
  for _, view in pairs(views) do
    if view.count and not view.popped then pop(view) end
  end
  for i, delivery in ipairs(deliveries) do
    if delivery.prefix then deliveries[i] = begin(delivery, tokens .. ":" .. i) end
  end
end

local trouble = wanted > 0 and attempt(takeAll) or false
if trouble and taken == 0 and string.find(trouble, "READONLY", 1, true) then return redis.error_reply(trouble) end
-- What was only reserved when it broke off was not taken.
local got = {}
for _, delivery in ipairs(deliveries) do
  if not delivery.prefix then got[#got + 1] = delivery end
end
return { settled, got, dry, trouble }
