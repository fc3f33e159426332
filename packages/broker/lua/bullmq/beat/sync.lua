--[[
  Stores entries that come from options, where they are new or have changed, and removes others.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       version of those that are stored
  ARGV[3]       how many entries follow: name and call of each, JSON
  ARGV[…]       names of entries that are not among the options any more

  Returns 1, or 0 if the term is over
]]
--- @include bullmq/beat/entries

if call("GET", leader) ~= ARGV[1] then return 0 end
local version, now = ARGV[2], timeOfServer()

local function isSame(one, other)
  for key, value in pairs(one) do
    if other[key] ~= value then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

-- Whether calls have one schedule. A start that is past is as good as any other: `new Date()` is another one with each leader.
local function isTimedAlike(one, other)
  local function start(timed) return math.max(timed.startAt or 0, tonumber(now)) end
  return isSame(one.schedule, other.schedule) and start(one) == start(other)
end

-- Replaces the call of an entry that is due as before: only when that was never, or is behind the end, it is to be computed.
local function replace(name, text, endAt)
  call("HSET", keyOf(name), "call", text, "version", version)
  call("HDEL", keyOf(name), "term")
  local due = tonumber(call("ZSCORE", index, name))
  local paused = call("HEXISTS", keyOf(name), "paused") == 1
  if not paused and (due == math.huge or due > (endAt or math.huge)) then call("ZADD", index, "0", name) end
end

local function change(name, text, former)
  local readable, one, other = pcall(function() return cjson.decode(former), cjson.decode(text) end)
  local compared, alike = pcall(isTimedAlike, one, other)
  if readable and compared and alike then replace(name, text, other.endAt) else store(name, text, "options", version, now) end
end

local last = 3 + 2 * tonumber(ARGV[3])
for at = 4, last, 2 do
  local name, text = ARGV[at], ARGV[at + 1]
  local stored = call("HMGET", keyOf(name), "origin", "call")
  if not stored[1] then
    store(name, text, "options", version, now)
  elseif stored[1] == "options" and stored[2] ~= text then
    change(name, text, stored[2])
  end
end
for at = last + 1, #ARGV do
  -- Meanwhile it may have been set at run time.
  if call("HGET", keyOf(ARGV[at]), "origin") == "options" then drop(ARGV[at]) end
end
return 1
