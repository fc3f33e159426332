-- Removes what is kept of messages that have ended, the oldest first. For the kinds see parts/retained.
local call = redis.call
local Retained = require("parts/retained")

-- Most that one call removes, unless twice as much has ended; most that one look for age removes in a set.
local atOnce, sweepAtOnce = 1000, 500

-- Time between two counts of a set that takes too much, ms, unless it has few members beside those that were added.
local recountEvery, few = 5000, 100

-- Removes the oldest `count` members of a kind, and their keys. `isEnough`: may say of how many went so far, and their bytes, that they are enough. What a parent waits for stays, and
-- counts as new. Returns how many went, and their bytes.
local function dropOldest(kind, now, count, isEnough)
  local oldest = call("ZRANGE", kind.set, 0, count - 1, "WITHSCORES")
  local gone, ids, bytes, prefix = {}, {}, 0, kind.prefix
  for i = 1, #oldest, 2 do
    if isEnough and isEnough(#ids, bytes) then break end
    local id, class, isOurs = oldest[i], Retained.read(oldest[i + 1])
    local isPlain = isOurs and prefix and #id == 36
    if isPlain then
      -- Most are: no other key of a queue is as long as a UUID.
      gone[#gone + 1], gone[#gone + 2] = prefix .. id, prefix .. id .. ":logs"
    end
    if not isPlain and require("parts/retained-keys").release(kind, gone, id, isOurs) == "awaited" then
      call("ZADD", kind.set, "XX", Retained.score(now, class, false), id)
    else
      ids[#ids + 1] = id
      bytes = bytes + Retained.sizeOf(class)
    end
  end
  if #ids == 0 then return 0, 0 end
  if #gone > 0 then call("DEL", unpack(gone)) end
  -- BullMQ has taken out its own.
  call("ZREM", kind.set, unpack(ids))
  return #ids, bytes
end

-- Removes what ended before `oldest`, ms, at most `most`. Returns how many went, and how many were due.
local function sweep(kind, now, oldest, most)
  local due = require("parts/ask")("ZCOUNT", kind.set, "-inf", "(" .. oldest) or 0
  if due == 0 or most <= 0 then return 0, due end
  local gone, bytes = dropOldest(kind, now, math.min(due, sweepAtOnce, most))
  Retained.count(kind, -bytes)
  return gone, due
end

-- Removes what is beyond the bounds of a set, as Retained.bound has found it: how many were added, how long the set is, its bytes, by how many it is too long, and the most bytes. Returns
-- how many went.
local function beyond(kind, now, found)
  local added, excess, mostBytes, sum = found.added, found.excess, found.mostBytes, found.sum
  if sum > mostBytes then
    local CountRetained = require("parts/count-retained")
    if found.length <= added + few or CountRetained.lastAt(kind, now) + recountEvery <= tonumber(now) then sum = CountRetained.kind(kind, now) end
  end
  local allowed, total = math.max(2 * added, atOnce), 0
  local function isEnough(dropped, freed) return total + dropped >= excess and sum - freed <= mostBytes end
  while total < allowed and (total < excess or sum > mostBytes) do
    local wanted = math.min(allowed - total, 500, math.max(excess - total, sum > mostBytes and math.max(2 * added, 20) or 0))
    local dropped, freed = dropOldest(kind, now, wanted, isEnough)
    if dropped == 0 then break end
    total, sum = total + dropped, Retained.count(kind, -freed)
  end
  return total
end

return { sweepAtOnce = sweepAtOnce, sweep = sweep, beyond = beyond }
