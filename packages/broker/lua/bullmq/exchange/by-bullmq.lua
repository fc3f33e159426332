--[[
  What an exchange leaves to BullMQ's own scripts, job by job: jobs of plain producers, which may ask for anything, jobs that are put back, and
  taking from queues that are paused, limited, prioritised or have due jobs. What BullMQ's Worker decides in JavaScript before it calls them
  (whether and when a job is tried again) is decided here.

  Reads of the exchange: call, now, lease, worker, longest, attempt, hasEnded, isWrong, marksOf, wholly, DeadLetters, Retained
]]
--- @include moveToFinished
--- @include moveToActive
--- @include moveToDelayed
--- @include retryJob
--- @include parts/put-back

-- What is read of a job whose message is too long.
local readOfLong = { "name", "priority", "ats", "atm", "begun", "revoked", "verdict", "unknownSince" }

-- All fields of a job, but the length of a message that is too long in its place.
local function readJob(key)
  local length = call("HSTRLEN", key, "data")
  if length <= longest then return call("HGETALL", key) end
  local fields = { "data", length }
  for i, value in ipairs(call("HMGET", key, unpack(readOfLong))) do
    if value then fields[#fields + 1], fields[#fields + 2] = readOfLong[i], value end
  end
  return fields
end

-- What stands for `redis` in a script that takes: no message that is too long is read.
local function readingShort(redis)
  return setmetatable({
    call = function(command, ...)
      if command == "HGETALL" then return readJob(...) end
      return redis.call(command, ...)
    end,
  }, { __index = redis })
end

-- Longest options of a job that are read, in bytes.
local longestOptions = 65536

-- A field of a job; false if it has more than `most` bytes.
local function fieldOf(jobKey, field, most)
  return call("HSTRLEN", jobKey, field) <= most and call("HGET", jobKey, field)
end

-- The table that a JSON text holds; an empty one when it holds none.
local function decoded(json)
  local ok, value = pcall(cjson.decode, json or "")
  return ok and type(value) == "table" and value or {}
end

-- What a job says of its parent and of what stands for it, as BullMQ's script reads it. A parent of which nobody can tell where it is, or only by reading very much, is none: the job could never end.
local function kinOf(jobKey)
  local parentKey, parent = fieldOf(jobKey, "parentKey", longestOptions), fieldOf(jobKey, "parent", longestOptions)
  if parentKey and not string.find(parentKey, ":", 1, true) then parentKey = false end
  if parent then
    local place = decoded(parent)
    if (type(place.id) ~= "string" and type(place.id) ~= "number") or type(place.queueKey) ~= "string" then parent = false end
  end
  return { parentKey, parent, fieldOf(jobKey, "deid", longestOptions) }
end

-- What stands for `redis` in a script that ends a job.
local function readingKin(redis)
  return setmetatable({
    call = function(command, ...)
      local key, field = ...
      if command == "HMGET" and field == "parentKey" then return kinOf(key) end
      return redis.call(command, ...)
    end,
  }, { __index = redis })
end

-- What a plain producer asked for; our own messages ask for nothing.
local function optionsOf(jobKey)
  return decoded(fieldOf(jobKey, "opts", longestOptions))
end

-- How many finished jobs its producer wants kept beside this one, with its age in s, as BullMQ has it; nothing if it does not say.
local function askedOf(options, target)
  local asked = options[target == "completed" and "removeOnComplete" or "removeOnFail"]
  if type(asked) == "boolean" then return { count = asked and 0 or -1 } end
  if type(asked) == "number" then return { count = asked } end
  return type(asked) == "table" and asked or nil
end

-- Notes how much a finished plain job takes, and removes what is beyond the bounds of its queue: its count is left to a producer that has one of its own.
local function boundFinished(prefix, own, id, target, values, keep, asked)
  local kind, jobKey = Retained.finished(prefix, own, target), prefix .. id
  local score = call("ZSCORE", kind.set, id)
  if not score then return end
  if not keep.arguments or call("HSTRLEN", jobKey, "data") > longest then call("HDEL", jobKey, "data") end
  local class = Retained.class(call("HSTRLEN", jobKey, "data") + values)
  call("ZADD", kind.set, "XX", Retained.score(score, class, false), id)
  local most = keep.most
  if asked then
    local age, count = tonumber(asked.age), tonumber(asked.count) or -1
    most = count > 0 and count or math.huge
    if age then Retained.sweep(kind, string.format("%.0f", now - age * 1000 + 1), tonumber(asked.limit) or Retained.sweepAtOnce) end
  end
  Retained.bound(kind, 1, Retained.sizeOf(class), most, keep.bytes)
end

-- By BullMQ, with all that a plain job may ask for.
local function finishByBullmq(prefix, own, id, token, target, value, stack, keep)
  local given = optionsOf(prefix .. id)
  local asked = askedOf(given, target)
  local keepsNone = asked and asked.count == 0 or not asked and (keep.most == 0 or keep.bytes == 0)
  -- Of the others BullMQ removes none by itself: it would not be counted.
  local options = {
    token = token, keepJobs = { count = keepsNone and 0 or -1 }, lockDuration = tonumber(lease), attempts = tonumber(given.attempts) or 0, maxMetricsSize = "",
  }
  local property = target == "completed" and "returnvalue" or "failedReason"
  local reply = wholly(function(whole)
    local given = moveToFinished(
      keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", target, id,
        "metrics:" .. target, "marker"),
      { id, now, property, value, target, "0", prefix, cmsgpack.pack(options),
        stack ~= "" and cmsgpack.pack({ property, value, "stacktrace", stack }) or nil }, readingKin(whole))
    if given == 0 then call("HDEL", prefix .. id, "begun", "revoked", "terminate", "verdict", "unknownSince") end
    return given
  end)
  -- It has ended, whatever comes of the bounds.
  if reply == 0 then attempt(boundFinished, prefix, own, id, target, #value + #stack, keep, asked) end
  return reply
end

-- To the delayed jobs. `skip`: "1" if that is no attempt. `fields`: what is noted on the job. What `ended` does is done along, if it is given.
local function delay(prefix, id, token, pause, skip, fields, ended)
  return wholly(function(whole)
    local reply = moveToDelayed(
      keysOf(prefix, "marker", "active", "prioritized", "delayed", id, "events", "meta", "stalled", "wait", "limiter", "pc"),
      { prefix, now, id, token, pause, skip, fields, "0" }, whole)
    if type(reply) == "number" and reply >= 0 then ended() end
    return reply
  end)
end

-- To those that wait, at the end that `push` says.
local function waitAgain(prefix, id, token, push, fields, ended)
  return wholly(function(whole)
    local reply = retryJob(
      keysOf(prefix, "active", "wait", "paused", id, "meta", "events", "delayed", "prioritized", "pc", "marker", "stalled"),
      { prefix, now, push, id, token, fields }, whole)
    if type(reply) == "number" and reply >= 0 then ended() end
    return reply
  end)
end

-- Sends the next attempt of one of our messages, in the place of this one.
local function retry(prefix, id, token, message, due)
  local fields, pause = cmsgpack.pack({ "data", message }), tonumber(due) - tonumber(now)
  local function ended() hasEnded(prefix .. id, call("HGET", prefix .. id, "ats")) end
  if pause > 0 then return delay(prefix, id, token, pause, "0", fields, ended) end
  return waitAgain(prefix, id, token, "LPUSH", fields, ended)
end

-- Puts a message back for later: neither a crash nor an attempt. `since`: since when workers have put it back that do not know it, or "".
local function postpone(prefix, id, token, since, due)
  local pause, fields = math.max(tonumber(due) - tonumber(now), 0), since ~= "" and cmsgpack.pack({ "unknownSince", since }) or ""
  return delay(prefix, id, token, pause, "1", fields, function() hasEnded(prefix .. id, call("HGET", prefix .. id, "ats")) end)
end

-- Puts a plain job back for later that is not for this worker. However often that happens, one start is counted, of which there may be a limit; it is taken under the same number again.
local function leaveAlone(prefix, id, token, since, due)
  local reply = postpone(prefix, id, token, since, due)
  if type(reply) == "number" and reply >= 0 and tonumber(call("HGET", prefix .. id, "ats")) > 1 then call("HINCRBY", prefix .. id, "ats", -1) end
  return reply
end

-- Between 0 and 1. A Redis before 7 begins every script with the same random numbers; the token is drawn anew at every take.
local function chanceOf(token)
  return tonumber(string.sub(redis.sha1hex(token), 1, 8), 16) / 0x100000000
end

-- How long to wait before attempt `number` + 1, in ms: -1 for never, nil for a strategy that only its producer has.
local function backoffOf(backoff, number, token)
  if not backoff or backoff == cjson.null then return 0 end
  if type(backoff) == "number" then return backoff end
  if type(backoff) ~= "table" then return nil end
  local delay, jitter = tonumber(backoff.delay) or 0, tonumber(backoff.jitter) or 0
  if backoff.type == "exponential" then delay = math.floor(2 ^ (number - 1) * delay + 0.5)
  elseif backoff.type ~= "fixed" then return nil end
  return jitter > 0 and math.floor(delay * (1 - jitter) + chanceOf(token) * delay * jitter) or delay
end

-- Longest list of stacks that is gone on with, in bytes: a longer one is begun anew.
local longestStacks = 262144

-- The stacks of all attempts as JSON: the last `limit` of them, if there is a limit.
local function stacksOf(earlier, stack, limit)
  local all, stacks = {}, {}
  for _, list in ipairs({ decoded(earlier), decoded(stack) }) do
    for _, one in ipairs(list) do
      if type(one) == "string" then all[#all + 1] = one end
    end
  end
  limit = tonumber(limit)
  for i = limit and math.max(#all - math.max(math.floor(limit), 0), 0) + 1 or 1, #all do stacks[#stacks + 1] = all[i] end
  if #stacks == 0 then return "[]" end
  -- Without the \/ of cjson, which no other writer of this field uses.
  return (string.gsub(cjson.encode(stacks), "\\/", "/"))
end

-- Tries a job that failed again, at once or later, while it has attempts left.
local function failForeign(prefix, own, id, token, reason, stack, final, keep)
  local jobKey = prefix .. id
  local options = optionsOf(jobKey)
  local number = (tonumber(call("HGET", jobKey, "atm")) or 0) + 1
  local pause = -1
  if not final and number < (tonumber(options.attempts) or 0) then pause = backoffOf(options.backoff, number, token) end
  if not pause then
    pause = -1
    reason = reason .. " (not tried again: its backoff strategy is its producer's own, and unknown here)"
  end
  local stacks = stacksOf(fieldOf(jobKey, "stacktrace", longestStacks), stack, options.stackTraceLimit)
  if pause == -1 then return finishByBullmq(prefix, own, id, token, "failed", reason, stacks, keep) end
  local fields = cmsgpack.pack({ "failedReason", reason, "stacktrace", stacks })
  local function ended() call("HDEL", jobKey, "begun", "verdict") end
  if pause > 0 then return delay(prefix, id, token, pause, "0", fields, ended) end
  return waitAgain(prefix, id, token, options.lifo == true and "RPUSH" or "LPUSH", fields, ended)
end

-- Fails a job that cannot have succeeded, with the error of BullMQ's Worker.
local function refuse(prefix, own, id, token, name, reason, keep)
  return failForeign(prefix, own, id, token, reason, cjson.encode({ name .. ": " .. reason }), name == "UnrecoverableError", keep)
end

-- A count of attempts that is none, and that BullMQ's scripts could not go on with, goes.
local function mendAttempts(jobKey)
  local count = call("HGET", jobKey, "atm")
  if count and not (#count < 16 and string.find(count, "^%d+$")) then call("HDEL", jobKey, "atm") end
end

-- Ends one run of a plain job. `target`: completed or failed; unrecoverable or dead, which is failed for good whatever its attempts.
local function finishForeign(prefix, own, id, token, target, value, stack, keep)
  mendAttempts(prefix .. id)
  if target == "completed" then
    local reply = finishByBullmq(prefix, own, id, token, target, value, "", keep)
    -- A parent whose children are not done, or have failed, cannot have succeeded: it would be given out again and again.
    if reply == -4 then return refuse(prefix, own, id, token, "Error", "Job " .. id .. " has pending dependencies. moveToFinished", keep) end
    if reply == -9 then
      local reason = "Cannot complete job " .. id .. " because it has at least one failed child. moveToFinished"
      return refuse(prefix, own, id, token, "UnrecoverableError", reason, keep)
    end
    return reply
  end
  -- The message of BullMQ's RateLimitError: it is no failure.
  if value == "bullmq:rateLimitExceeded" then return putBack(prefix, id, token) end
  return failForeign(prefix, own, id, token, value, stack, target ~= "failed", keep)
end

-- How many due jobs BullMQ promotes in one take.
local promoted = 1000

-- Whether nothing can be made of an id in a list: its key is of another type.
local function isStray(prefix, id)
  local length = redis.pcall("HSTRLEN", prefix .. id, "data")
  return type(length) == "table" and string.find(length.err, "WRONGTYPE", 1, true) ~= nil
end

-- What Redis or Lua say of a job with fields that BullMQ's script cannot go on with.
local faultsOfJobs = { "WRONGTYPE", "not an integer", "not a valid float", "not a float", "overflow", "NaN", "attempt to ", "bad argument" }

local function isFaultOfJob(trouble)
  local text = type(trouble) == "table" and trouble.err or tostring(trouble)
  for _, fault in ipairs(faultsOfJobs) do
    if string.find(text, fault, 1, true) then return true end
  end
  return false
end

-- At how many ids of each place, from where it takes next, one look for strays looks: each look costs a take that fails.
local lookedAt = 100

-- Clears away what makes BullMQ's script fail at each take: ids that are no jobs, where it takes next, priorities that are no numbers, and a counter of priorities that cannot
-- count. Gives whether there was any.
local function clearWay(prefix)
  local cleared = false
  for _, id in ipairs(call("ZRANGEBYSCORE", prefix .. "delayed", 0, (tonumber(now) + 1) * 0x1000, "LIMIT", 0, promoted)) do
    if isStray(prefix, id) then
      cleared = call("ZREM", prefix .. "delayed", id) == 1 or cleared
    else
      local priority = tonumber(call("HGET", prefix .. id, "priority") or 0)
      if priority and priority ~= priority then cleared = call("HDEL", prefix .. id, "priority") == 1 or cleared end
    end
  end
  for _, id in ipairs(call("ZRANGE", prefix .. "prioritized", 0, lookedAt - 1)) do
    if isStray(prefix, id) then cleared = call("ZREM", prefix .. "prioritized", id) == 1 or cleared end
  end
  for _, id in ipairs(call("LRANGE", prefix .. "wait", -lookedAt, -1)) do
    if isStray(prefix, id) then cleared = call("LREM", prefix .. "wait", -1, id) == 1 or cleared end
  end
  local counted = redis.pcall("INCR", prefix .. "pc")
  if type(counted) == "table" and isFaultOfJob(counted) then cleared = call("DEL", prefix .. "pc") == 1 or cleared end
  return cleared
end

local function takeByBullmq(prefix, token)
  return wholly(function(whole)
    return moveToActive(
      keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", "marker"),
      { prefix, now, cmsgpack.pack({ token = token, lockDuration = tonumber(lease), name = worker }) }, readingShort(whole))
  end)
end

-- How often a job was taken or has ended, whatever the field says.
local function timesOf(field)
  local times = tonumber(field)
  return times and times >= 0 and times < 2 ^ 31 and math.floor(times) or 0
end

-- Takes the next job, one that BullMQ's script cannot take, so that it holds up no others. Nothing from a paused queue: there it has failed before it came to a job.
local function takeSpoilt(queue, prefix, token)
  if call("HEXISTS", prefix .. "meta", "paused") == 1 then return nil end
  local last, first = call("LRANGE", prefix .. "wait", -1, -1)[1], call("ZRANGE", prefix .. "prioritized", 0, 0)[1]
  local id = last or first
  if not id then return nil end
  local jobKey = prefix .. id
  local fits = call("HSTRLEN", jobKey, "data") <= longest
  local job = call("HMGET", jobKey, "name", fits and "data" or "", "priority", "ats", "atm", "begun", "revoked", "verdict", "unknownSince")
  local times = timesOf(job[4]) + 1
  call("HSET", jobKey, "processedOn", now, "pb", worker, "ats", times)
  call("SET", jobKey .. ":lock", token, "PX", lease)
  call("LPUSH", prefix .. "active", id)
  if last then call("LREM", prefix .. "wait", -1, id) else call("ZREM", prefix .. "prioritized", id) end
  call("XADD", prefix .. "events", "*", "event", "active", "jobId", id, "prev", "waiting")
  return {
    queue = queue, id = id, name = job[1], data = fits and job[2] or call("HSTRLEN", jobKey, "data"), priority = job[3],
    times = times, ended = timesOf(job[5]), revoked = job[7] or marksOf(job[8], job[9]), begun = job[6],
  }
end

-- Most times that the way is cleared in one take.
local clearings = 10

-- By BullMQ: promotes what is due, obeys limits, takes by priority.
local function takeUnusual(queue, prefix, token)
  local ok, reply
  for _ = 0, clearings do
    ok, reply = pcall(takeByBullmq, prefix, token)
    if ok or not isFaultOfJob(reply) or not clearWay(prefix) then break end
  end
  if not ok then
    local spoilt = isFaultOfJob(reply) and takeSpoilt(queue, prefix, token)
    if spoilt then return spoilt end
    error(reply, 0)
  end
  if not reply[1] or reply[1] == 0 then return nil, reply[3] or 0 end
  local fields = {}
  for i = 1, #reply[1], 2 do fields[reply[1][i]] = reply[1][i + 1] end
  return {
    queue = queue, id = reply[2], name = fields.name or false, data = fields.data or false, priority = fields.priority or false,
    times = tonumber(fields.ats), ended = tonumber(fields.atm) or 0, revoked = fields.revoked or marksOf(fields.verdict, fields.unknownSince), begun = fields.begun,
  }
end

-- Kept among the dead letters first: what is not kept is not settled.
local function bury(prefix, own, id, token, reason, stack, keep)
  if call("GET", prefix .. id .. ":lock") == token then DeadLetters.keep(own, id, reason, DeadLetters.read(prefix .. id, keep), keep) end
  return finishForeign(prefix, own, id, token, "dead", reason, stack, keep)
end

-- Settles a group of settlements that stands in ARGV from `at` on, `width` arguments each, one by one.
local function settleUnusual(prefix, own, action, at, width, count, number, keep)
  for i = 1, count do
    local place = at + (i - 1) * width
    local id, token, value, stack = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
    local reply
    if action == "requeued" then
      reply = attempt(putBack, prefix, id, token)
    elseif action == "crashed" then
      reply = attempt(requeue, prefix, id, token)
    elseif action == "retried" then
      reply = attempt(retry, prefix, id, token, value, stack)
    elseif action == "postponed" then
      reply = attempt(postpone, prefix, id, token, value, stack)
    elseif action == "left" then
      reply = attempt(leaveAlone, prefix, id, token, value, stack)
    elseif action == "foreign-dead" then
      reply = attempt(bury, prefix, own, id, token, value, stack, keep)
    else
      reply = attempt(finishForeign, prefix, own, id, token, string.sub(action, #"foreign-" + 1), value, stack, keep)
    end
    if type(reply) ~= "number" or reply < 0 then isWrong(number + i, reply) end
  end
end
