--[[
  What an exchange leaves to BullMQ's own scripts, job by job: jobs of plain producers, which may ask for anything, jobs that are put back, and taking from queues that are
  paused, limited, prioritised or have due jobs.

  Reads of the exchange: call, now, lease, worker, kept, attempt, isWrong
]]
--- @include moveToFinished
--- @include moveToActive
--- @include moveJobFromActiveToWait

-- Keys of a queue by their suffixes, in their order.
local function keysOf(prefix, ...)
  local keys = { ... }
  for i, suffix in ipairs(keys) do keys[i] = prefix .. suffix end
  return keys
end

-- What a plain producer asked for; our own messages ask for nothing.
local function optionsOf(jobKey, target)
  local json = call("HGET", jobKey, "opts")
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

-- By BullMQ, with all that a plain job may ask for.
local function finishByBullmq(prefix, id, token, target, value, stack)
  local options = optionsOf(prefix .. id, target)
  options.token = token
  options.lockDuration = tonumber(lease)
  options.maxMetricsSize = ""
  return moveToFinished(
    keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", target, id, "metrics:" .. target, "marker"),
    { id, now, target == "completed" and "returnvalue" or "failedReason", value, target, "0", prefix, cmsgpack.pack(options),
      stack ~= "" and cmsgpack.pack({ "stacktrace", stack }) or nil })
end

local function finishForeign(prefix, id, token, target, value, stack)
  local reply = finishByBullmq(prefix, id, token, target, value, stack)
  -- A flow parent whose children have failed, or are not done, cannot have succeeded: it would be given out again and again.
  if reply == -4 or reply == -9 then return finishByBullmq(prefix, id, token, "failed", "children are pending or have failed", "") end
  return reply
end

local function requeue(prefix, id, token)
  local reply = moveJobFromActiveToWait(
    keysOf(prefix, "active", "wait", "stalled", "paused", "meta", "limiter", "prioritized", "marker", "events"),
    { id, token, prefix .. id })
  -- BullMQ rings for a job without priority only.
  if reply >= 0 and call("HEXISTS", prefix .. "meta", "paused") == 0 then call("ZADD", prefix .. "marker", 0, "0") end
  return reply
end

-- By BullMQ: promotes what is due, obeys limits, takes by priority.
local function takeUnusual(queue, prefix, token)
  local reply = moveToActive(
    keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", "marker"),
    { prefix, now, cmsgpack.pack({ token = token, lockDuration = tonumber(lease), name = worker }) })
  if not reply[1] or reply[1] == 0 then return nil, reply[3] or 0 end
  local fields = {}
  for i = 1, #reply[1], 2 do fields[reply[1][i]] = reply[1][i + 1] end
  return {
    queue = queue, id = reply[2], name = fields.name or false, data = fields.data or false, priority = fields.priority or false,
    times = tonumber(fields.ats), ended = tonumber(fields.atm) or 0,
  }
end

-- Settles a group of settlements that stands in ARGV from `at` on, `width` arguments each, one by one.
local function settleUnusual(prefix, action, at, width, count, number)
  for i = 1, count do
    local place = at + (i - 1) * width
    local id, token, value, stack = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
    local reply
    if action == "requeued" then
      reply = attempt(requeue, prefix, id, token)
    else
      reply = attempt(finishForeign, prefix, id, token, action == "foreign-completed" and "completed" or "failed", value, stack)
    end
    if type(reply) ~= "number" or reply < 0 then isWrong(number + i, reply) end
  end
end
