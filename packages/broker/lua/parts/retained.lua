--[[
  What is kept of messages that have ended: the finished jobs of a queue, completed or failed, and its dead letters. It is bounded by count and bytes when something is added.

  Each kind is a sorted set. The whole part of a score is a time, as BullMQ has it; the fraction says how much memory a member takes: half a millisecond, if it is one of ours, and a class
  of size in steps of 1/2048. So what is removed, by whomever, is known without being read. A hash, `<own>retained`, has the sum of each set. It is counted anew now and then, and before
  anything is dropped for its bytes, since BullMQ's tools remove jobs too.

  Reads of the script: call, and now, ms, where something is added or counted
]]
--- @include removeJob
--- @include parts/ask

local Retained = {
  -- What a job takes beside its values, in bytes, and how much of what Redis allocates is values.
  overhead = 1200, room = 1.125,
  -- Most that one call removes, unless twice as much has ended; most that one look for age removes in a queue's set, and in all of them.
  atOnce = 1000, sweepAtOnce = 500, allSwept = 1000,
  -- Time between two counts of a set, ms, and between two of one that takes too much, unless it has few members beside those that were added.
  countEvery = 60000, recountEvery = 5000, few = 100,
  -- How many members are looked at: of a larger set so many in each of `windows` places, and the others are taken to be like them. So many sets are counted in one call as have as many.
  mostCounted = 10000, windows = 100,
  classes = 1023, perDoubling = 50, least = 1024,
}

-- The class of a size, in bytes.
function Retained.class(values)
  local size = Retained.overhead + values * Retained.room
  return math.min(Retained.classes, math.ceil(math.log(size / Retained.least) / math.log(2) * Retained.perDoubling))
end

function Retained.sizeOf(class)
  return math.floor(Retained.least * 2 ^ (class / Retained.perDoubling))
end

-- The score of what ended at `at`, ms.
function Retained.score(at, class, isOurs)
  return string.format("%.11f", math.floor(at) + (isOurs and 0.5 or 0) + class / 2048)
end

-- The class that a score says, and whether it is one of ours. An endless one, which nobody writes who means well, says nothing.
function Retained.read(score)
  local fraction = tonumber(score) % 1
  if fraction ~= fraction then return 0, false end
  return math.floor(fraction % 0.5 * 2048 + 0.5), fraction >= 0.5
end

-- What stands for `redis` in a script of BullMQ's that is to tell nobody: it tells nobody either of jobs that are beyond a bound.
function Retained.withoutEvents()
  return setmetatable({
    call = function(command, ...)
      if command == "XADD" then return "0-0" end
      return call(command, ...)
    end,
  }, { __index = redis })
end

-- Removes what a finished job of ours, or of BullMQ, has left.
function Retained.jobKeys(prefix)
  return function(gone, id, isOurs)
    local n = #gone
    gone[n + 1], gone[n + 2] = prefix .. id, prefix .. id .. ":logs"
    if isOurs then return end
    for _, of in ipairs({ ":dependencies", ":processed", ":failed", ":unsuccessful" }) do gone[#gone + 1] = prefix .. id .. of end
    -- First, while its parent can be told; it keeps the last job of a scheduler, and that goes too.
    -- What has ended by itself leaves alone how long a producer wants no duplicates of it.
    call("HDEL", prefix .. id, "deid")
    removeJob({ prefix .. id, prefix .. "repeat" }, { id, "0", prefix }, Retained.withoutEvents())
  end
end

function Retained.letterKeys(own)
  return function(gone, id) gone[#gone + 1] = own .. "dead-letter:" .. id end
end

-- What a queue keeps of one kind: what `retained` calls it, its set, and what goes with a member.
function Retained.finished(prefix, own, target)
  return { own = own, field = target, set = prefix .. target, prefix = prefix, keysOf = Retained.jobKeys(prefix) }
end

function Retained.letters(own)
  return { own = own, field = "deadLetters", set = own .. "dead-letters", keysOf = Retained.letterKeys(own) }
end

function Retained.kindsOf(prefix, own)
  return { Retained.finished(prefix, own, "completed"), Retained.finished(prefix, own, "failed"), Retained.letters(own) }
end

-- How many bytes the members of a set take, and how many were looked at for that.
function Retained.sumOf(set)
  local length, looked, sum = ask("ZCARD", set) or 0, 0, 0
  if length == 0 then return 0, 0 end
  local function add(from, to)
    local members = call("ZRANGE", set, from, to, "WITHSCORES")
    for i = 2, #members, 2 do
      sum, looked = sum + Retained.sizeOf(Retained.read(members[i])), looked + 1
    end
  end
  if length <= Retained.mostCounted then
    add(0, -1)
    return sum, looked
  end
  for window = 0, Retained.windows - 1 do
    local from = math.floor(window * length / Retained.windows)
    add(from, from + Retained.mostCounted / Retained.windows - 1)
  end
  return math.floor(sum / looked * length), looked
end

-- What a command on the counts of a queue gives. A key of another kind in their place was planted, and is removed: nothing else is kept there, and they are counted anew.
local function onCounts(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if not string.find(reply.err, "WRONGTYPE", 1, true) then error(reply, 0) end
  call("DEL", key)
  return call(command, key, ...)
end

-- When a kind was last counted, ms; 0 if that is not known, or says a time to come.
function Retained.countedAt(kind)
  local at = tonumber(onCounts("HGET", kind.own .. "retained", kind.field .. "CountedAt"))
  return at and at <= tonumber(now) and at or 0
end

-- Counts a kind anew. Gives the sum, and how many members were looked at.
function Retained.recount(kind)
  local key = kind.own .. "retained"
  local sum, looked = Retained.sumOf(kind.set)
  if looked == 0 then onCounts("HDEL", key, kind.field, kind.field .. "CountedAt") else onCounts("HSET", key, kind.field, sum, kind.field .. "CountedAt", now) end
  return sum, looked
end

-- Whether a parent of BullMQ's still waits for a job, which failed: without it the parent would go on.
local function isAwaited(prefix, id)
  local parent = prefix and call("HGET", prefix .. id, "parentKey")
  return parent and call("SISMEMBER", parent .. ":dependencies", prefix .. id) == 1
end

-- Keys of a queue that are no jobs, behind its prefix. An id that is called so was planted, and its key is left alone.
local noJobs = " wait paused active delayed prioritized waiting-children completed failed meta id events marker pc limiter stalled stalled-check repeat "

-- Whether an id in a set is no job's: then it is taken out, and nothing else is deleted.
local function isNoJob(prefix, id, isOurs)
  if not prefix then return false end
  if string.find(noJobs, " " .. id .. " ", 1, true) then return true end
  if isOurs then return false end
  local reply = redis.pcall("HGET", prefix .. id, "parentKey")
  return type(reply) == "table" and string.find(reply.err, "WRONGTYPE", 1, true) ~= nil
end

-- What `f` gives; nothing if a key of a job's parent holds something of another kind, or is none that this user may touch: such a job must not keep all others.
local function ofSpoilt(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  local why = type(reply) == "table" and reply.err or tostring(reply)
  if string.find(why, "WRONGTYPE", 1, true) or string.find(why, "access a key", 1, true) or string.find(why, "of the keys", 1, true) then return nil end
  error(reply, 0)
end

-- Removes the oldest `count` members of a kind, and their keys. `isEnough`: may say of how many went so far, and their bytes, that they are enough. What a parent waits for stays, and counts as new. Gives how
-- many went, and their bytes.
function Retained.dropOldest(kind, count, isEnough)
  local oldest = call("ZRANGE", kind.set, 0, count - 1, "WITHSCORES")
  local gone, ids, bytes = {}, {}, 0
  for i = 1, #oldest, 2 do
    if isEnough and isEnough(#ids, bytes) then break end
    local id, class, isOurs = oldest[i], Retained.read(oldest[i + 1])
    if isNoJob(kind.prefix, id, isOurs) then
      ids[#ids + 1] = id
      bytes = bytes + Retained.sizeOf(class)
    elseif not isOurs and ofSpoilt(isAwaited, kind.prefix, id) then
      call("ZADD", kind.set, "XX", Retained.score(now, class, false), id)
    else
      ids[#ids + 1] = id
      -- Its own keys are noted first.
      ofSpoilt(kind.keysOf, gone, id, isOurs)
      bytes = bytes + Retained.sizeOf(class)
    end
  end
  if #ids == 0 then return 0, 0 end
  if #gone > 0 then call("DEL", unpack(gone)) end
  -- BullMQ has taken out its own.
  call("ZREM", kind.set, unpack(ids))
  return #ids, bytes
end

-- Counts `bytes` in, less than 0 for what has gone. Gives the sum.
function Retained.count(kind, bytes)
  local sum = onCounts("HINCRBY", kind.own .. "retained", kind.field, bytes)
  if sum >= 0 then return sum end
  call("HSET", kind.own .. "retained", kind.field, 0)
  return 0
end

-- Removes what ended before `oldest`, ms, at most `most`. Gives how many went, and how many were due.
function Retained.sweep(kind, oldest, most)
  local due = ask("ZCOUNT", kind.set, "-inf", "(" .. oldest) or 0
  if due == 0 or most <= 0 then return 0, due end
  local gone, bytes = Retained.dropOldest(kind, math.min(due, Retained.sweepAtOnce, most))
  Retained.count(kind, -bytes)
  return gone, due
end

-- After `added` members of `bytes` in all came to a set, removes what is beyond its bounds, `most` and `mostBytes`. Gives how many went.
function Retained.bound(kind, added, bytes, most, mostBytes)
  local sum, length = Retained.count(kind, bytes), call("ZCARD", kind.set)
  local excess = math.max(length - most, 0)
  if excess == 0 and sum <= mostBytes then return 0 end
  if sum > mostBytes and (length <= added + Retained.few or Retained.countedAt(kind) + Retained.recountEvery <= tonumber(now)) then sum = Retained.recount(kind) end
  local allowed, total = math.max(2 * added, Retained.atOnce), 0
  local function isEnough(dropped, freed) return total + dropped >= excess and sum - freed <= mostBytes end
  while total < allowed and (total < excess or sum > mostBytes) do
    local wanted = math.min(allowed - total, 500, math.max(excess - total, sum > mostBytes and math.max(2 * added, 20) or 0))
    local dropped, freed = Retained.dropOldest(kind, wanted, isEnough)
    if dropped == 0 then break end
    total, sum = total + dropped, Retained.count(kind, -freed)
  end
  return total
end
