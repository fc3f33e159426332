-- Takes a job with BullMQ's own script, from a queue that is paused, limited or prioritised, or has due jobs.
local call = redis.call
local keysOf, wholly, marksOf = require("parts/queue-keys"), require("parts/wholly"), require("bullmq/settle-and-take/take-batch").marksOf
local TakeSingle = {}

-- What is read of a job whose message is too long.
local readOfLong = { "name", "priority", "ats", "atm", "startedDeliveries", "revoked", "verdict", "unknownSince" }

-- All fields of a job, but the length of a message that is too long in its place.
local function readJob(longest, key)
  local length = call("HSTRLEN", key, "data")
  if length <= longest then return call("HGETALL", key) end
  local fields = { "data", length }
  for i, value in ipairs(call("HMGET", key, unpack(readOfLong))) do
    if value then fields[#fields + 1], fields[#fields + 2] = readOfLong[i], value end
  end
  return fields
end

-- What stands for `redis` in a script that takes: no message that is too long is read.
local function readingShort(longest, redis)
  return setmetatable({
    call = function(command, ...)
      if command == "HGETALL" then return readJob(longest, ...) end
      return redis.call(command, ...)
    end,
  }, { __index = redis })
end

-- How many due jobs BullMQ promotes in one take.
local promoted = 1000

-- Whether nothing can be made of an id in a list: its key holds a value of another type.
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
-- count. Returns whether there was any.
local function clearWay(now, prefix)
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

local function takeByBullmq(request, prefix, token)
  return wholly(function(whole)
    return require("moveToActive")(
      keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", "marker"),
      { prefix, request.now, cmsgpack.pack({ token = token, lockDuration = tonumber(request.lease), name = request.worker }) }, readingShort(request.longest, whole))
  end)
end

-- How often a job was taken or has ended, whatever the field says.
local function timesOf(field)
  local times = tonumber(field)
  return times and times >= 0 and times < 2 ^ 31 and math.floor(times) or 0
end

-- Takes the next job, one that BullMQ's script cannot take, so that it holds up no others. Nothing from a paused queue: there it has failed before it came to a job.
local function takeSpoilt(request, queue, prefix, token)
  if call("HEXISTS", prefix .. "meta", "paused") == 1 then return nil end
  local last, first = call("LRANGE", prefix .. "wait", -1, -1)[1], call("ZRANGE", prefix .. "prioritized", 0, 0)[1]
  local id = last or first
  if not id then return nil end
  local jobKey = prefix .. id
  local fits = call("HSTRLEN", jobKey, "data") <= request.longest
  local job = call("HMGET", jobKey, "name", fits and "data" or "", "priority", "ats", "atm", "startedDeliveries", "revoked", "verdict", "unknownSince")
  local times = timesOf(job[4]) + 1
  call("HSET", jobKey, "processedOn", request.now, "pb", request.worker, "ats", times)
  call("SET", jobKey .. ":lock", token, "PX", request.lease)
  call("LPUSH", prefix .. "active", id)
  if last then call("LREM", prefix .. "wait", -1, id) else call("ZREM", prefix .. "prioritized", id) end
  call("XADD", prefix .. "events", "*", "event", "active", "jobId", id, "prev", "waiting")
  return {
    queue = queue, id = id, name = job[1], data = fits and job[2] or call("HSTRLEN", jobKey, "data"), priority = job[3],
    times = times, ended = timesOf(job[5]), revoked = job[7] or marksOf(job[8], job[9]), started = job[6],
  }
end

-- Most times that the way is cleared in one take.
local clearings = 10

-- Takes the next job of a queue by BullMQ: promotes what is due, obeys limits, takes by priority. Without one, nil and what is left of the rate limit, ms.
function TakeSingle.next(request, queue, prefix, token)
  local ok, reply
  for _ = 0, clearings do
    ok, reply = pcall(takeByBullmq, request, prefix, token)
    if ok or not isFaultOfJob(reply) or not clearWay(request.now, prefix) then break end
  end
  if not ok then
    local spoilt = isFaultOfJob(reply) and takeSpoilt(request, queue, prefix, token)
    if spoilt then return spoilt end
    error(reply, 0)
  end
  if not reply[1] or reply[1] == 0 then return nil, reply[3] or 0 end
  local fields = {}
  for i = 1, #reply[1], 2 do fields[reply[1][i]] = reply[1][i + 1] end
  return {
    queue = queue, id = reply[2], name = fields.name or false, data = fields.data or false, priority = fields.priority or false,
    times = tonumber(fields.ats), ended = tonumber(fields.atm) or 0, revoked = fields.revoked or marksOf(fields.verdict, fields.unknownSince), started = fields.startedDeliveries,
  }
end

-- Notes that nothing more can be taken from a queue. `limited`: what is left of its rate limit, ms. `dueIn`: says when a delayed job is due.
function TakeSingle.close(request, reply, view, limited, dueIn)
  local prefix = view.prefix
  local waiting = call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0
  if not waiting then call("ZREMRANGEBYSCORE", prefix .. "marker", 0, request.now) end
  local due = dueIn(prefix, call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")) or 0
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency")
  reply.dry[#reply.dry + 1] = { view.queue, limited, due, not meta[1] and (waiting or meta[2]) and 1 or 0 }
end

return TakeSingle
