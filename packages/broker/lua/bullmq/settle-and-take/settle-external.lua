--[[
  Settles jobs of plain producers, with BullMQ's own scripts. What BullMQ's Worker decides in JavaScript before it calls them (whether and when a job is tried again) is decided here.
]]
local call = redis.call
local Attempt, PutBack, Retained = require("parts/attempt"), require("parts/put-back"), require("parts/retained")
local BoundedReads, MoveBack = require("bullmq/settle-and-take/bounded-reads"), require("bullmq/settle-and-take/move-back")
local keysOf, wholly = require("parts/queue-keys"), require("parts/wholly")
local SettleExternal = {}

-- What a job says of its parent and of what stands for it, as BullMQ's script reads it. A parent of which nobody can tell where it is, or only by reading very much, is none: the job could
-- never end.
local function kinOf(jobKey)
  local longest = BoundedReads.longestOptions
  local parentKey, parent = BoundedReads.field(jobKey, "parentKey", longest), BoundedReads.field(jobKey, "parent", longest)
  if parentKey and not string.find(parentKey, ":", 1, true) then parentKey = false end
  if parent then
    local place = BoundedReads.decoded(parent)
    if (type(place.id) ~= "string" and type(place.id) ~= "number") or type(place.queueKey) ~= "string" then parent = false end
  end
  return { parentKey, parent, BoundedReads.field(jobKey, "deid", longest) }
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

-- How many finished jobs its producer wants kept beside this one, with its age in s, as BullMQ has it; nothing if it does not say.
local function askedOf(options, target)
  local asked = options[target == "completed" and "removeOnComplete" or "removeOnFail"]
  if type(asked) == "boolean" then return { count = asked and 0 or -1 } end
  if type(asked) == "number" then return { count = asked } end
  return type(asked) == "table" and asked or nil
end

-- Notes how much a finished plain job takes, and removes what is beyond the bounds of its queue: its count is left to a producer that has one of its own.
local function boundFinished(request, group, id, target, values, asked)
  local prefix, keep, now = group.prefix, group.keep, request.now
  local kind, jobKey = Retained.finished(prefix, group.own, target), prefix .. id
  local score = call("ZSCORE", kind.set, id)
  if not score then return end
  if not keep.arguments or call("HSTRLEN", jobKey, "data") > request.longest then call("HDEL", jobKey, "data") end
  local class = Retained.class(call("HSTRLEN", jobKey, "data") + values)
  call("ZADD", kind.set, "XX", Retained.score(score, class, false), id)
  local most = keep.most
  if asked then
    local DropRetained = require("parts/drop-retained")
    local age, count = tonumber(asked.age), tonumber(asked.count) or -1
    most = count > 0 and count or math.huge
    if age then DropRetained.sweep(kind, now, string.format("%.0f", now - age * 1000 + 1), tonumber(asked.limit) or DropRetained.sweepAtOnce) end
  end
  Retained.bound(kind, now, 1, Retained.sizeOf(class), most, keep.bytes)
end

-- By BullMQ, with all that a plain job may ask for.
local function finish(request, group, id, token, target, value, stack)
  local prefix, keep = group.prefix, group.keep
  local given = BoundedReads.options(prefix .. id)
  local asked = askedOf(given, target)
  local keepsNone = asked and asked.count == 0 or not asked and (keep.most == 0 or keep.bytes == 0)
  -- Of the others BullMQ removes none by itself: it would not be counted.
  local options = {
    token = token, keepJobs = { count = keepsNone and 0 or -1 }, lockDuration = tonumber(request.lease), attempts = tonumber(given.attempts) or 0, maxMetricsSize = "",
  }
  local property = target == "completed" and "returnvalue" or "failedReason"
  local reply = wholly(function(whole)
    local outcome = require("moveToFinished")(
      keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", target, id,
        "metrics:" .. target, "marker"),
      { id, request.now, property, value, target, "0", prefix, cmsgpack.pack(options),
        stack ~= "" and cmsgpack.pack({ property, value, "stacktrace", stack }) or nil }, readingKin(whole))
    if outcome == 0 then call("HDEL", prefix .. id, "startedDeliveries", "revoked", "terminate", "verdict", "unknownSince") end
    return outcome
  end)
  -- It has ended, whatever comes of the bounds.
  if reply == 0 then Attempt.run(boundFinished, request, group, id, target, #value + #stack, asked) end
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
  for _, list in ipairs({ BoundedReads.decoded(earlier), BoundedReads.decoded(stack) }) do
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
local function fail(request, group, id, token, reason, stack, final)
  local prefix, jobKey = group.prefix, group.prefix .. id
  local options = BoundedReads.options(jobKey)
  local number = (tonumber(call("HGET", jobKey, "atm")) or 0) + 1
  local pause = -1
  if not final and number < (tonumber(options.attempts) or 0) then pause = backoffOf(options.backoff, number, token) end
  if not pause then
    pause = -1
    reason = reason .. " (not tried again: its backoff strategy is its producer's own, and unknown here)"
  end
  local stacks = stacksOf(BoundedReads.field(jobKey, "stacktrace", longestStacks), stack, options.stackTraceLimit)
  if pause == -1 then return finish(request, group, id, token, "failed", reason, stacks) end
  local fields = cmsgpack.pack({ "failedReason", reason, "stacktrace", stacks })
  local function ended() call("HDEL", jobKey, "startedDeliveries", "verdict") end
  if pause > 0 then return MoveBack.delayed(request, prefix, id, token, pause, "0", fields, ended) end
  return MoveBack.waiting(request, prefix, id, token, options.lifo == true and "RPUSH" or "LPUSH", fields, ended)
end

-- Fails a job that cannot have succeeded, with the error of BullMQ's Worker.
local function refuse(request, group, id, token, name, reason)
  return fail(request, group, id, token, reason, cjson.encode({ name .. ": " .. reason }), name == "UnrecoverableError")
end

-- Removes a count of attempts that is no number: BullMQ's scripts could not go on with it.
local function mendAttempts(jobKey)
  local count = call("HGET", jobKey, "atm")
  if count and not (#count < 16 and string.find(count, "^%d+$")) then call("HDEL", jobKey, "atm") end
end

local function complete(request, group, id, token, value)
  local reply = finish(request, group, id, token, "completed", value, "")
  -- A parent whose children are not done, or have failed, cannot have succeeded: it would be given out again and again.
  if reply == -4 then return refuse(request, group, id, token, "Error", "Job " .. id .. " has pending dependencies. moveToFinished") end
  if reply == -9 then
    local reason = "Cannot complete job " .. id .. " because it has at least one failed child. moveToFinished"
    return refuse(request, group, id, token, "UnrecoverableError", reason)
  end
  return reply
end

-- Ends one run of a plain job, as the action of its group says: external-completed or external-failed; external-unrecoverable or external-dead, which is failed for good whatever its attempts.
function SettleExternal.job(request, reply, group, id, token, value, stack)
  local action, jobKey = group.action, group.prefix .. id
  -- Kept among the dead letters first: what is not kept is not settled.
  if action == "external-dead" and call("GET", jobKey .. ":lock") == token then
    local DeadLetters = require("bullmq/settle-and-take/dead-letters")
    DeadLetters.keep(request, reply, group.own, id, value, DeadLetters.read(request, jobKey, group.keep), group.keep)
  end
  mendAttempts(jobKey)
  if action == "external-completed" then return complete(request, group, id, token, value) end
  -- The message of BullMQ's RateLimitError: it is no failure.
  if value == "bullmq:rateLimitExceeded" then return PutBack.job(group.prefix, id, token) end
  return fail(request, group, id, token, value, stack, action ~= "external-failed")
end

return SettleExternal
