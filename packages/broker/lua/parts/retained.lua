--[[
  What is kept of messages that have ended: the finished jobs of a queue, completed or failed, and its dead letters. It is bounded by count and bytes when something is added.

  Each is a sorted set. The whole part of a score is a time, as BullMQ has it; the fraction says how much memory a member takes: half a millisecond, if it is one of ours, and a class of
  size in steps of 1/2048. So what is removed, by whomever, is known without being read. A hash, `<own>retained`, has the sum of each set. It is counted anew now and then, since BullMQ's
  tools remove jobs too.

  Reads of the script: call
]]
--- @include removeJob

local Retained = {
  -- What a job takes beside its values, in bytes, and how much of what Redis allocates is values.
  overhead = 1200, room = 1.125,
  -- Most that one call removes, unless twice as much has ended; most of a set that one look for its age removes.
  atOnce = 1000, sweepAtOnce = 500,
  -- Time between two counts, ms, and how many members of each end of a set are looked at: of a larger one the others are taken to be like them.
  countEvery = 60000, mostCounted = 5000,
  -- A set of so few, or of little more than what has just come, is counted anew before anything of it is removed for its bytes: BullMQ's tools may have emptied it.
  fewest = 100,
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

-- The class that a score says, and whether it is one of ours.
function Retained.read(score)
  local fraction = tonumber(score) % 1
  return math.floor(fraction % 0.5 * 2048 + 0.5), fraction >= 0.5
end

-- Removes what a finished job of ours, or of BullMQ, has left.
function Retained.jobKeys(prefix)
  return function(gone, id, isOurs)
    local n = #gone
    gone[n + 1], gone[n + 2] = prefix .. id, prefix .. id .. ":logs"
    if isOurs then return end
    -- First, while its parent can be told; it keeps the last job of a scheduler, and that goes too.
    removeJob({ prefix .. id, prefix .. "repeat" }, { id, "0", prefix })
    for _, of in ipairs({ ":dependencies", ":processed", ":failed", ":unsuccessful" }) do gone[#gone + 1] = prefix .. id .. of end
  end
end

function Retained.letterKeys(own)
  return function(gone, id) gone[#gone + 1] = own .. "dead-letter:" .. id end
end

-- The sets of a queue: what `retained` calls each, and what goes with a member.
function Retained.kindsOf(prefix, own)
  local keysOf = Retained.jobKeys(prefix)
  return {
    { field = "completed", set = prefix .. "completed", keysOf = keysOf },
    { field = "failed", set = prefix .. "failed", keysOf = keysOf },
    { field = "deadLetters", set = own .. "dead-letters", keysOf = Retained.letterKeys(own) },
  }
end

-- How many bytes the members of a set take.
function Retained.sumOf(set)
  local length, looked, sum = call("ZCARD", set), 0, 0
  local function add(from, to)
    local members = call("ZRANGE", set, from, to, "WITHSCORES")
    for i = 2, #members, 2 do
      sum, looked = sum + Retained.sizeOf(Retained.read(members[i])), looked + 1
    end
  end
  if length <= 2 * Retained.mostCounted then
    add(0, -1)
    return sum
  end
  add(0, Retained.mostCounted - 1)
  add(-Retained.mostCounted, -1)
  return math.floor(sum / looked * length)
end

-- Removes the oldest `count` members of a set, and their keys. `upTo`: may say of the bytes removed so far that they are enough. Gives how many went, and their bytes.
function Retained.dropOldest(set, count, keysOf, isEnough)
  local oldest = call("ZRANGE", set, 0, count - 1, "WITHSCORES")
  local gone, ids, bytes = {}, {}, 0
  for i = 1, #oldest, 2 do
    if isEnough and isEnough(#ids, bytes) then break end
    local class, isOurs = Retained.read(oldest[i + 1])
    ids[#ids + 1] = oldest[i]
    keysOf(gone, oldest[i], isOurs)
    bytes = bytes + Retained.sizeOf(class)
  end
  if #ids == 0 then return 0, 0 end
  call("DEL", unpack(gone))
  -- BullMQ has taken out its own.
  call("ZREM", set, unpack(ids))
  return #ids, bytes
end

-- Counts `bytes` in, less than 0 for what has gone. Gives the sum.
function Retained.count(own, field, bytes)
  local sum = call("HINCRBY", own .. "retained", field, bytes)
  if sum >= 0 then return sum end
  call("HSET", own .. "retained", field, 0)
  return 0
end

-- After `added` members of `bytes` in all came to a set, removes what is beyond its bounds, `most` and `mostBytes`. Gives how many went.
function Retained.bound(own, field, set, added, bytes, most, mostBytes, keysOf)
  local sum = Retained.count(own, field, bytes)
  local length = call("ZCARD", set)
  local excess = math.max(length - most, 0)
  if sum > mostBytes and length <= math.max(2 * added, Retained.fewest) then
    sum = Retained.sumOf(set)
    call("HSET", own .. "retained", field, sum)
  end
  if excess == 0 and sum <= mostBytes then return 0 end
  local allowed, total = math.max(2 * added, Retained.atOnce), 0
  local function isEnough(dropped, freed) return total + dropped >= excess and sum - freed <= mostBytes end
  while total < allowed and (total < excess or sum > mostBytes) do
    local wanted = math.min(allowed - total, 500, math.max(excess - total, sum > mostBytes and math.max(2 * added, 20) or 0))
    local dropped, freed = Retained.dropOldest(set, wanted, keysOf, isEnough)
    if dropped == 0 then break end
    total, sum = total + dropped, Retained.count(own, field, -freed)
  end
  return total
end
