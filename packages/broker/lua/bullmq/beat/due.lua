--[[
  What a leader has to do next.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       time, ms
  ARGV[2]       how many entries at most
  ARGV[3...]    names and versions of entries that rest: of one that has this version still, nothing else is read

  Returns { time of the server, ms; the entries that are due by ARGV[1] or are to be computed, as `Entries.read` returns them; when
      the next of the others is due, "inf" for never, false if there is none }. They are fewer when their calls are long: each look costs little, whatever
      somebody has written there.
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

-- Most bytes of calls that one look reads, unless a single one is longer.
local mostBytes = 512 * 1024

local resting = {}
for at = 3, #ARGV, 2 do resting[ARGV[at]] = ARGV[at + 1] end

-- The row of an entry that rests, without its call; nothing if it does not rest, or was changed.
local function readResting(name)
  local version = resting[name]
  if not version or (Entries.versionOf(name) or "") ~= version then return nil end
  return { name, call("ZSCORE", Entries.index, name), false, false, version, false, false, false, false, false, false, false, false }
end

-- One whose name is longer than one can be is read once, and never due again: each look would read megabytes.
local function putAway(name)
  local entry = Entries.read(name)
  call("ZADD", Entries.index, "+inf", name)
  return entry
end

local due, bytes, away = {}, 0, 0
local names = call("ZRANGEBYSCORE", Entries.index, "-inf", ARGV[1], "LIMIT", 0, ARGV[2])
for _, name in ipairs(names) do
  local entry
  if #name > Entries.longestText then
    entry = putAway(name)
    away = away + 1
  else
    entry = readResting(name)
  end
  if not entry then
    local length = Entries.lengthOf(name)
    if bytes > 0 and bytes + length > mostBytes then break end
    bytes = bytes + length
    entry = Entries.read(name)
    -- One that Redis has lost must not stand before the others for ever.
    if not entry then call("ZREM", Entries.index, name) end
  end
  due[#due + 1] = entry or nil
end
local following = call("ZRANGE", Entries.index, #due - away, #due - away, "WITHSCORES")
return { Entries.timeOfServer(), due, following[2] or false }
