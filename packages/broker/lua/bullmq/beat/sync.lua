--[[
  Stores entries that come from options, where they are new or have changed, and removes others.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       version of those that are stored
  ARGV[3]       "1" to leave those out that somebody has removed in this term, else ""
  ARGV[4]       how many entries follow: name and call of each, JSON
  ARGV[…]       names of entries that are not among the options any more

  Returns 1, or 0 if the term is over
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

if call("GET", Entries.leader) ~= ARGV[1] then return 0 end
local version, restoring, now = ARGV[2], ARGV[3] == "1", Entries.timeOfServer()

local function isSame(one, other)
  for key, value in pairs(one) do
    if other[key] ~= value then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

-- When a call is due; nil if it cannot be read. A start that is past is as good as any other: `new Date()` is another one with each leader.
local function timingOf(text)
  local ok, decoded = pcall(cjson.decode, text)
  if not ok or type(decoded) ~= "table" or type(decoded.schedule) ~= "table" then return nil end
  return {
    schedule = decoded.schedule,
    start = math.max(tonumber(decoded.startAt) or 0, tonumber(now)),
    ending = tonumber(decoded.endAt) or math.huge,
  }
end

local function isTimedAlike(one, other)
  return one and other and one.start == other.start and isSame(one.schedule, other.schedule)
end

-- Replaces the call of an entry that is due as before.
local function replace(name, text)
  call("HSET", Entries.keyOf(name), "call", text, "version", version)
  call("HDEL", Entries.keyOf(name), "term")
end

-- Marks an entry to be computed if it is due behind `time`, or never was any more.
local function computeBehind(name, time)
  local due = tonumber(call("ZSCORE", Entries.index, name) or 0)
  if (due == math.huge or due > time) and call("HEXISTS", Entries.keyOf(name), "paused") == 0 then call("ZADD", Entries.index, "0", name) end
end

local function sync(name, text)
  if restoring and call("SISMEMBER", Entries.leftOut, name) == 1 then return end
  if Entries.isOther(Entries.keyOf(name)) then return Entries.store(name, text, "options", version, now) end
  local stored = call("HMGET", Entries.keyOf(name), "origin", "call")
  -- The index can be lost alone.
  if stored[1] and not call("ZSCORE", Entries.index, name) then Entries.compute(name) end
  if stored[1] == "runtime" then return end
  local timing, changed = timingOf(text), stored[2] ~= text
  if changed and not (stored[1] and isTimedAlike(timingOf(stored[2]), timing)) then
    Entries.store(name, text, "options", version, now)
  elseif timing and timing.schedule.type == "function" then
    -- Another beat's function may say something else of the times to come.
    if changed then replace(name, text) end
    computeBehind(name, tonumber(now))
  elseif changed then
    replace(name, text)
    computeBehind(name, timing.ending)
  end
end

local last = 4 + 2 * tonumber(ARGV[4])
for at = 5, last, 2 do sync(ARGV[at], ARGV[at + 1]) end
for at = last + 1, #ARGV do
  -- Meanwhile it may have been set at run time.
  if not Entries.isOther(Entries.keyOf(ARGV[at])) and call("HGET", Entries.keyOf(ARGV[at]), "origin") == "options" then Entries.drop(ARGV[at]) end
end
return 1
