-- Counts how much is kept of messages that have ended. For the kinds see parts/retained.
local call = redis.call
local ask, Retained = require("parts/ask"), require("parts/retained")
local CountRetained = {
  -- Time between two counts of a set, ms.
  every = 60000,
  -- How many members are looked at: of a larger set so many in each of `windows` places, and the others are taken to be like them. So many sets are counted in one call as have as many.
  mostCounted = 10000, windows = 100,
}

-- How many bytes the members of a set take, and how many were looked at for that.
local function sumOf(set)
  local length, looked, sum = ask("ZCARD", set) or 0, 0, 0
  if length == 0 then return 0, 0 end
  local function add(from, to)
    local members = call("ZRANGE", set, from, to, "WITHSCORES")
    for i = 2, #members, 2 do
      sum, looked = sum + Retained.sizeOf(Retained.read(members[i])), looked + 1
    end
  end
  if length <= CountRetained.mostCounted then
    add(0, -1)
    return sum, looked
  end
  for window = 0, CountRetained.windows - 1 do
    local from = math.floor(window * length / CountRetained.windows)
    add(from, from + CountRetained.mostCounted / CountRetained.windows - 1)
  end
  return math.floor(sum / looked * length), looked
end

-- Counts a kind anew. Returns the sum, and how many members were looked at.
function CountRetained.kind(kind, now)
  local onCounts, key = Retained.onCounts, kind.own .. "retained"
  local sum, looked = sumOf(kind.set)
  if looked == 0 then onCounts("HDEL", key, kind.field, kind.field .. "CountedAt") else onCounts("HSET", key, kind.field, sum, kind.field .. "CountedAt", now) end
  return sum, looked
end

-- When a kind was last counted, ms; 0 if that is not known, or says a time to come.
function CountRetained.lastAt(kind, now)
  local at = tonumber(Retained.onCounts("HGET", kind.own .. "retained", kind.field .. "CountedAt"))
  return at and at <= tonumber(now) and at or 0
end

return CountRetained
