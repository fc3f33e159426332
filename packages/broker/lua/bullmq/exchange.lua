--[[
  Settles what has ended, then takes what may run: BullMQ's own scripts, for many jobs in one call.

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
--- @include moveToFinished
--- @include moveToActive
--- @include moveJobFromActiveToWait

local now, lease, worker, tokens = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local kept = { completed = { count = 1000 }, failed = { count = 10000 } }
local morgueLength = 10000

-- What a plain producer asked for; our own messages ask for nothing.
local function optionsOf(jobKey, target)
  local json = redis.call("HGET", jobKey, "opts")
  local options = json and cjson.decode(json) or {}
  local keep = options[target == "completed" and "removeOnComplete" or "removeOnFail"]
  if type(keep) == "boolean" then keep = { count = keep and 0 or -1 } end
  if type(keep) == "number" then keep = { count = keep } end
  return {
    attempts = options.attempts or 0,
    keepJobs = type(keep) == "table" and keep or kept[target],
    fpof = options.fpof and true or false,
    cpof = options.cpof and true or false,
    idof = options.idof and true or false,
    rdof = options.rdof and true or false,
  }
end

local function finish(prefix, id, token, target, ours, value, stack)
  local function key(suffix) return prefix .. suffix end
  local options = ours and { attempts = 0, keepJobs = kept[target], fpof = false, cpof = false, idof = false, rdof = false }
    or optionsOf(prefix .. id, target)
  options.token = token
  options.lockDuration = lease
  options.maxMetricsSize = ""
  return moveToFinished(
    { key("wait"), key("active"), key("prioritized"), key("events"), key("stalled"), key("limiter"), key("delayed"), key("paused"),
      key("meta"), key("pc"), key(target), prefix .. id, key("metrics:" .. target), key("marker") },
    { id, now, target == "completed" and "returnvalue" or "failedReason", value, target, "0", prefix, cmsgpack.pack(options),
      stack ~= "" and cmsgpack.pack({ "stacktrace", stack }) or nil })
end

local function requeue(prefix, id, token)
  local function key(suffix) return prefix .. suffix end
  local reply = moveJobFromActiveToWait(
    { key("active"), key("wait"), key("stalled"), key("paused"), key("meta"), key("limiter"), key("prioritized"), key("marker"),
      key("events") },
    { id, token, prefix .. id })
  -- BullMQ rings for a job without priority only.
  if reply >= 0 and redis.call("HEXISTS", key("meta"), "paused") == 0 then redis.call("ZADD", key("marker"), 0, "0") end
  return reply
end

local function bury(prefix, morgue, id, token, value)
  if redis.call("GET", prefix .. id .. ":lock") ~= token then return end
  local job = redis.call("HMGET", prefix .. id, "name", "data")
  redis.call("XADD", morgue, "MAXLEN", "~", morgueLength, "*", "id", id, "at", now, "reason", value, "worker", worker,
    "name", job[1] or "", "data", job[2] or "")
end

local function settle(queue, id, token, action, ours, value, stack)
  local prefix = KEYS[2 * queue - 1]
  if action == "requeued" then return requeue(prefix, id, token) end
  if action == "buried" then
    bury(prefix, KEYS[2 * queue], id, token, value)
    action = "failed"
  end
  local reply = finish(prefix, id, token, action, ours, value, stack)
  -- A plain flow parent whose children have failed, or are not done, cannot have succeeded: it would be given out again and again.
  if reply == -4 or reply == -9 then return finish(prefix, id, token, "failed", ours, "children are pending or have failed", "") end
  return reply
end

local settled = {}
local at = 8
for s = 1, tonumber(ARGV[7]) do
  local ok, reply = pcall(settle, tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4] == "1", ARGV[at + 5], ARGV[at + 6])
  if ok then
    settled[s] = reply < 0 and reply or 0
  else
    settled[s] = type(reply) == "table" and reply.err or tostring(reply)
    -- A replica: nothing was written, and the whole call is for the primary.
    if string.find(settled[s], "READONLY", 1, true) then return redis.error_reply(settled[s]) end
  end
  at = at + 7
end

local deliveries, dry, closed = {}, {}, {}
local taken, open, wanted = 0, 0, tonumber(ARGV[5])

-- A marker of score 0 says that there is a job, one of a later time that a delayed job is due then.
local function marked(prefix)
  local marker = redis.call("ZRANGE", prefix .. "marker", 0, 0, "WITHSCORES")
  return marker[2] and tonumber(marker[2]) <= tonumber(now)
end

local function takeFrom(queue)
  local prefix = KEYS[2 * queue - 1]
  local function key(suffix) return prefix .. suffix end
  local token = tokens .. ":" .. (taken + 1)
  local reply = moveToActive(
    { key("wait"), key("active"), key("prioritized"), key("events"), key("stalled"), key("limiter"), key("delayed"), key("paused"),
      key("meta"), key("pc"), key("marker") },
    { prefix, now, cmsgpack.pack({ token = token, lockDuration = lease, name = worker }) })
  if not reply[1] or reply[1] == 0 then
    local waiting = redis.call("LLEN", key("wait")) + redis.call("ZCARD", key("prioritized"))
    -- Nothing is left to be woken for: without this, each empty queue wakes one idle worker in vain.
    if waiting == 0 then redis.call("ZREMRANGEBYSCORE", key("marker"), 0, now) end
    local heldBack = waiting > 0 and redis.call("HEXISTS", key("meta"), "paused") == 0 and 1 or 0
    -- Of a queue at its limit BullMQ does not say when the next delayed job is due.
    local delayed = redis.call("ZRANGE", key("delayed"), 0, 0, "WITHSCORES")
    dry[#dry + 1] = { queue, reply[3] or 0, delayed[2] and tonumber(delayed[2]) / 0x1000 or 0, heldBack }
    return false
  end
  local fields = {}
  for i = 1, #reply[1], 2 do fields[reply[1][i]] = reply[1][i + 1] end
  taken = taken + 1
  deliveries[taken] = { queue, reply[2], fields.name or false, fields.data or false, fields.priority or false, tonumber(fields.ats), token }
  return true
end

local turns = {}
if wanted > 0 then
  for i = at, #ARGV do
    local queue = tonumber(ARGV[i])
    local name = math.abs(queue)
    turns[#turns + 1] = name
    if closed[name] == nil then
      closed[name] = queue < 0 and not marked(KEYS[2 * name - 1])
      if not closed[name] then open = open + 1 end
    end
  end
end

local function takeAll()
  while taken < wanted and open > 0 do
    for _, queue in ipairs(turns) do
      while taken < wanted and not closed[queue] do
        if not takeFrom(queue) then
          closed[queue] = true
          open = open - 1
        elseif ARGV[6] == "turns" then
          break
        end
      end
    end
  end
end

local ok, trouble = pcall(takeAll)
if ok then return { settled, deliveries, dry, false } end
local why = type(trouble) == "table" and trouble.err or tostring(trouble)
if taken == 0 and string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
return { settled, deliveries, dry, why }
