--[[
  The entries of beat, and who leads. What Redis keeps of them:

    <beat>leader          token of the term; lives as long as the term
    <beat>epoch           number of the last term
    <beat>due             sorted set of the names of all entries by their next run, ms; 0: to be computed; +inf: none, or paused
    <beat>left-out        set: names of entries of the options that somebody has removed; until a term begins, or they are stored again
    <beat>entry:<name>    hash
      call                the recurring call, JSON
      origin              "options" or "runtime"
      version             another one after each change by a user, and whenever its ticks get other ids
      paused              "1" while it is
      createdAt           when it was stored or set anew, ms
      resumedAt           when it was resumed last, ms
      count               how many ticks were sent
      last…               the tick that was sent last: Due, SentAt, Id, Queue
      term, from          its last advance: by which term, and from which time
      sent, overlapped, duplicates    what came of that

  KEYS[1] of each script is what the keys of beat start with (<beat>).
]]
local call = redis.call
local index, leftOut = KEYS[1] .. "due", KEYS[1] .. "left-out"
local Entries = { index = index, leader = KEYS[1] .. "leader", leftOut = leftOut }

function Entries.keyOf(name) return KEYS[1] .. "entry:" .. name end

-- Time of the server, ms, as a text.
function Entries.timeOfServer()
  local time = call("TIME")
  return string.format("%.0f", time[1] * 1000 + math.floor(time[2] / 1000))
end

-- Marks an entry to be computed, unless it is paused.
function Entries.compute(name)
  call("ZADD", index, call("HEXISTS", Entries.keyOf(name), "paused") == 1 and "+inf" or "0", name)
end

-- Whether the key of an entry holds something of another kind: then it is as good as not there.
function Entries.isOther(key)
  local kind = call("TYPE", key).ok
  return kind ~= "hash" and kind ~= "none"
end

-- Stores an entry anew. It is to be computed, unless it is paused. Its last tick stays known; if the clock has gone back since, that was due
-- now, so that the next is not waited for until then.
function Entries.store(name, text, origin, version, now)
  local key = Entries.keyOf(name)
  if Entries.isOther(key) then call("DEL", key) end
  -- What says that it is stored comes last: if something is refused, the next try begins anew.
  Entries.compute(name)
  call("SREM", leftOut, name)
  call("HDEL", key, "term")
  if (tonumber(call("HGET", key, "lastDue") or nil) or 0) > tonumber(now) then call("HSET", key, "lastDue", now) end
  call("HSET", key, "call", text, "origin", origin, "version", version, "createdAt", now, "count", "0")
end

function Entries.drop(name)
  local found = call("DEL", Entries.keyOf(name))
  call("ZREM", index, name)
  return found
end

-- Longest name, and longest of the other short texts, in bytes.
Entries.longestText = 800

-- Whether a name, or a version, is UTF-8, and no longer than one can be. Who reads others cannot say them again, nor tell them from each other.
function Entries.isText(name)
  if #name > Entries.longestText then return false end
  local at = 1
  while at <= #name do
    local lead, second = string.byte(name, at, at + 1)
    local more = lead < 128 and 0 or lead < 194 and -1 or lead < 224 and 1 or lead < 240 and 2 or lead < 245 and 3 or -1
    if more < 0 or not string.find(name, "^" .. string.rep("[\128-\191]", more), at + 1) then return false end
    if (lead == 224 and second < 160) or (lead == 237 and second > 159) or (lead == 240 and second < 144) or (lead == 244 and second > 143) then return false end
    at = at + more + 1
  end
  return true
end

function Entries.isUnreadable(name) return #name > Entries.longestText or Entries.isOther(Entries.keyOf(name)) or not Entries.isText(name) end

-- Bytes of its call.
function Entries.lengthOf(name)
  return Entries.isUnreadable(name) and 0 or call("HSTRLEN", Entries.keyOf(name), "call")
end

-- The version of an entry; false for one that is no text.
function Entries.versionOf(name)
  local version = not Entries.isUnreadable(name) and call("HGET", Entries.keyOf(name), "version")
  return version and Entries.isText(version) and version
end

-- { name, next run, call, origin, version, paused, createdAt, count, lastDue, lastSentAt, lastId, lastQueue, resumedAt }; false if there is none. All but the first two are false if its key
-- holds something of another kind, or its name is no text, of which the first bytes are given; all but those and the version if any but the call is longer than it can be.
function Entries.read(name)
  local score = call("ZSCORE", index, name)
  local function without(version) return { string.sub(name, 1, Entries.longestText), score, false, false, version, false, false, false, false, false, false, false, false } end
  if Entries.isUnreadable(name) then return without(false) end
  local entry = call("HMGET", Entries.keyOf(name), "call", "origin", "version", "paused", "createdAt", "count",
    "lastDue", "lastSentAt", "lastId", "lastQueue", "resumedAt")
  if not entry[1] then return false end
  if entry[3] and not Entries.isText(entry[3]) then return without(false) end
  for at = 2, #entry do
    if entry[at] and #entry[at] > Entries.longestText then return without(entry[3]) end
  end
  return { name, score, unpack(entry) }
end

-- Tells the beats that there is something new. Whoever may not publish is heard of at their next look.
function Entries.tell(channel, what) redis.pcall("PUBLISH", channel, what) end

return Entries
