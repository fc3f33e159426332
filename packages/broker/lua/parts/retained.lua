--[[
  What is kept of messages that have ended: the finished jobs of a queue, completed or failed, and its dead letters. It is bounded by count and bytes when something is added.

  Each kind is a sorted set. The whole part of a score is a time, as BullMQ has it; the fraction says how much memory a member takes: half a millisecond, if it is one of ours, and a class
  of size in steps of 1/2048. So the size of what is removed is known without reading it, whoever removes it. A hash, `<own>retained`, has the sum of each set. It is counted anew now and
  then, and before anything is dropped for its bytes, since BullMQ's tools remove jobs too.
]]
local call = redis.call

-- What a job takes beside its values, in bytes, and how much of what Redis allocates is values.
local overhead, room = 1200, 1.125
local classes, perDoubling, least = 1023, 50, 1024

-- The class of a size, in bytes.
local function class(values)
  local size = overhead + values * room
  return math.min(classes, math.ceil(math.log(size / least) / math.log(2) * perDoubling))
end

local function sizeOf(class)
  return math.floor(least * 2 ^ (class / perDoubling))
end

-- The score of what ended at `at`, ms.
local function score(at, class, isOurs)
  return string.format("%.11f", math.floor(at) + (isOurs and 0.5 or 0) + class / 2048)
end

-- The class that a score says, and whether it is one of ours. An endless score, which only somebody hostile writes, says nothing.
local function read(score)
  local fraction = tonumber(score) % 1
  if fraction ~= fraction then return 0, false end
  return math.floor(fraction % 0.5 * 2048 + 0.5), fraction >= 0.5
end

-- The finished jobs of a queue, `target` "completed" or "failed": the set, the field of `retained`, and what their keys start with.
local function finished(prefix, own, target)
  return { own = own, field = target, set = prefix .. target, prefix = prefix }
end

-- The dead letters of a queue.
local function letters(own)
  return { own = own, field = "deadLetters", set = own .. "dead-letters" }
end

-- Runs a command on the counts of a queue. A key of another type in their place was planted, and is removed: nothing else is kept there, and they are counted anew.
local function onCounts(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if not string.find(reply.err, "WRONGTYPE", 1, true) then error(reply, 0) end
  call("DEL", key)
  return call(command, key, ...)
end

-- Adds `bytes` to the sum of a kind, less than 0 for what has gone. Returns the sum.
local function count(kind, bytes)
  local sum = onCounts("HINCRBY", kind.own .. "retained", kind.field, bytes)
  if sum >= 0 then return sum end
  call("HSET", kind.own .. "retained", kind.field, 0)
  return 0
end

-- After `added` members of `bytes` in all came to a set, removes what is beyond its bounds, `most` and `mostBytes`. Returns how many went.
local function bound(kind, now, added, bytes, most, mostBytes)
  local sum, length = count(kind, bytes), call("ZCARD", kind.set)
  local excess = math.max(length - most, 0)
  if excess == 0 and sum <= mostBytes then return 0 end
  return require("parts/drop-retained").beyond(kind, now, { added = added, length = length, sum = sum, excess = excess, mostBytes = mostBytes })
end

return {
  class = class, sizeOf = sizeOf, score = score, read = read, finished = finished, letters = letters, onCounts = onCounts, count = count, bound = bound,
}
