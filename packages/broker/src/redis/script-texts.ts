// Generated from the files in lua/ by scripts/generate.mjs: edit those, then run it.

/** The text of each script in `lua/`, by its path without `.lua`. */
export const scriptTexts: Readonly<Record<string, string>> = {
  "bullmq/adding/add-batch": `-- Adds messages without priority and delay to a queue: in few commands, what BullMQ's addStandardJob writes for them one by one. A message whose id is already there is left as it is.
local call = redis.call

-- What the last call has begun to add: prefix, ids, keys, and positions of the ids among the keys; and whether it is in \`wait\`.
local begunToAdd, isPushed

-- Takes that back. What cannot be taken out of \`wait\` is sent; what cannot be deleted says that it is not.
local function takeBack()
  if not begunToAdd then return end
  local prefix, ids, keys, positions = unpack(begunToAdd)
  for _, id in ipairs(ids) do
    local key = keys[positions[id]]
    if not isPushed or type(redis.pcall("LREM", prefix .. "wait", 1, id)) == "number" then
      if type(redis.pcall("DEL", key)) ~= "number" then redis.pcall("HSET", key, "unsent", "1") end
    end
  end
end

-- Adds the \`count\` messages behind source[at], three fields each: id, name of the task, the encoded message. What is only read comes first, then INCRBY: a full Redis refuses it, as it
-- refuses a script's first write and no later one. If it fails, its caller takes back what was added: all is done or nothing. A job that is there counts as sent, unless it says that it is not. What is there and no job cannot be
-- sent: returns the positions of these.
local function add(prefix, source, at, count, now)
  begunToAdd, isPushed = nil, false
  local events, meta = prefix .. "events", prefix .. "meta"
  local keys, ids, positions, taken, spoilt = {}, {}, {}, {}, {}
  for m = 1, count do keys[m] = prefix .. source[at + 3 * m - 2] end
  local none = call("EXISTS", unpack(keys)) == 0
  for m = 1, count do
    local id = source[at + 3 * m - 2]
    local isNew = none or call("EXISTS", keys[m]) == 0
    local unsent = not isNew and redis.pcall("HGET", keys[m], "unsent")
    if type(unsent) == "table" and string.find(unsent.err, "WRONGTYPE", 1, true) then
      taken[m] = true
      spoilt[#spoilt + 1] = m
    elseif not positions[id] and (isNew or unsent == "1") then
      positions[id] = m
      ids[#ids + 1] = id
    end
  end
  if #spoilt == count then return spoilt end
  local settings = call("HMGET", meta, "opts.maxLenEvents", "paused", "concurrency")
  local longest = settings[1] or "10000"
  local heldBack = settings[2] or settings[3] and call("LLEN", prefix .. "active") >= tonumber(settings[3])

  call("INCRBY", prefix .. "id", count)
  if not settings[1] then call("HSET", meta, "opts.maxLenEvents", longest) end
  begunToAdd = { prefix, ids, keys, positions }
  for id, m in pairs(positions) do
    call("HSET", keys[m], "name", source[at + 3 * m - 1], "data", source[at + 3 * m], "opts", '{"jobId":"' .. id .. '","attempts":0}',
      "timestamp", now, "delay", "0", "priority", "0")
    if not none and type(redis.pcall("HDEL", keys[m], "unsent")) ~= "number" then call("HSET", keys[m], "unsent", "") end
  end
  if #ids > 0 then
    call("LPUSH", prefix .. "wait", unpack(ids))
    isPushed = true
    if not heldBack then call("ZADD", prefix .. "marker", "0", "0") end
  end
  for m = 1, count do
    local id = source[at + 3 * m - 2]
    if positions[id] == m then
      call("XADD", events, "*", "event", "added", "jobId", id, "name", source[at + 3 * m - 1])
      call("XADD", events, "*", "event", "waiting", "jobId", id)
    elseif not taken[m] then
      call("XADD", events, "*", "event", "duplicated", "jobId", id)
    end
  end
  call("XTRIM", events, "MAXLEN", "~", longest)
  return spoilt
end

-- As add, but all or none of them. If it fails, nothing was added; if only some can be sent, it fails.
local function allOrNone(...)
  local ok, reply = pcall(add, ...)
  if ok and #reply == 0 then return end
  takeBack()
  error(ok and { err = "WRONGTYPE Operation against a key holding the wrong kind of value" } or reply, 0)
end

return { takeBack = takeBack, add = add, allOrNone = allOrNone }
`,
  "bullmq/adding/add-single": `-- Adds a message with a priority or a delay to a queue, with BullMQ's own script for its kind. A message whose id is already there is left as it is.
local wholly = require("parts/wholly")

-- Adds one message whole or not at all; delay in ms, 0 for none.
return function(prefix, id, name, message, priority, delay, now)
  local function key(suffix) return prefix .. suffix end
  local packed = cmsgpack.pack({ prefix, id, name, now })
  local options = { jobId = id, attempts = 0 }
  if delay > 0 then options.delay = delay end
  if priority > 0 then options.priority = priority end
  return wholly(function(whole)
    -- What could not be taken back then. What is no job makes it fail: it would count as sent.
    local unsent = redis.pcall("HGET", key(id), "unsent")
    if unsent == "1" then redis.call("DEL", key(id)) end
    if type(unsent) == "table" and string.find(unsent.err, "WRONGTYPE", 1, true) then error(unsent, 0) end
    if delay > 0 then
      return require("addDelayedJob")(
        { key("marker"), key("meta"), key("id"), key("delayed"), key("completed"), key("events") },
        { packed, message, cmsgpack.pack(options) }, whole)
    end
    if priority > 0 then
      return require("addPrioritizedJob")(
        { key("marker"), key("meta"), key("id"), key("prioritized"), key("delayed"), key("completed"), key("active"), key("events"),
          key("pc") },
        { packed, message, cmsgpack.pack(options) }, whole)
    end
    return require("addStandardJob")(
      { key("wait"), key("paused"), key("meta"), key("id"), key("completed"), key("delayed"), key("active"), key("events"), key("marker") },
      { packed, message, cmsgpack.pack(options) }, whole)
  end)
end
`,
  "bullmq/beat/advance": `--[[
  Sends the ticks of entries and says when each is due next.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       what the keys of queues start with
  then for each entry
    name, version, its version from then on; when it was due, ms, "" if it was to be computed; when it is due next, "" if never;
    how many ticks follow
    for each tick when it was due; "1" to leave it out while the task of the one before has not ended, else ""; how many messages follow
      for each message queue, id, name of the task, message, priority, and the time before which it is not to run, ms, 0 for none

  Returns false if the term is over, else for each entry
      { "done", how many ticks were sent, how many were left out, how many had been sent before }, { "changed" }, or
      { "failed", why }: then nothing of it was done
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")
local now = Entries.timeOfServer()
local token, queueKeys = ARGV[1], ARGV[2]
local at = 2

local function nextList(item)
  local list = {}
  at = at + 1
  for n = 1, tonumber(ARGV[at]) do list[n] = item() end
  return list
end

local function nextMessage()
  at = at + 6
  return {
    queue = ARGV[at - 5], id = ARGV[at - 4], task = ARGV[at - 3], text = ARGV[at - 2],
    priority = tonumber(ARGV[at - 1]), eta = tonumber(ARGV[at]),
  }
end

local function nextTick()
  local tick = { due = ARGV[at + 1], skip = ARGV[at + 2] == "1" }
  at = at + 2
  tick.messages = nextList(nextMessage)
  return tick
end

local function nextEntry()
  local entry = {
    name = ARGV[at + 1], version = ARGV[at + 2], newVersion = ARGV[at + 3], due = ARGV[at + 4], following = ARGV[at + 5],
  }
  at = at + 5
  entry.ticks = nextList(nextTick)
  return entry
end

local types = {
  wait = "list", paused = "list", active = "list", prioritized = "zset", delayed = "zset", marker = "zset", meta = "hash",
  events = "stream", id = "string", pc = "string",
}
local flaws = {}

-- Why nothing can be added to a queue, false if it can: found out first, as half of an entry's ticks cannot be taken back.
local function flawOf(queue)
  if flaws[queue] ~= nil then return flaws[queue] end
  flaws[queue] = false
  for suffix, expected in pairs(types) do
    local key = queueKeys .. queue .. ":" .. suffix
    local found = call("TYPE", key).ok
    if found ~= "none" and found ~= expected then flaws[queue] = "WRONGTYPE " .. key .. " is a " .. found end
  end
  return flaws[queue]
end

local function flawIn(ticks)
  for _, tick in ipairs(ticks) do
    for _, message in ipairs(tick.messages) do
      if flawOf(message.queue) then return flawOf(message.queue) end
    end
  end
  return nil
end

local function send(message)
  local prefix, delay = queueKeys .. message.queue .. ":", math.max(0, math.ceil(message.eta - now))
  if message.priority > 0 or delay > 0 then
    require("bullmq/adding/add-single")(prefix, message.id, message.task, message.text, message.priority, delay, now)
  else
    require("bullmq/adding/add-batch").allOrNone(prefix, { message.id, message.task, message.text }, 0, 1, now)
  end
end

local function isThere(message) return call("EXISTS", queueKeys .. message.queue .. ":" .. message.id) == 1 end

local function isUnfinished(queue, id)
  local job = call("HMGET", queueKeys .. queue .. ":" .. id, "timestamp", "finishedOn")
  return job[1] and not job[2]
end

local function advance(entry)
  local key = Entries.keyOf(entry.name)
  local stored = call("HMGET", key, "version", "count", "lastQueue", "lastId", "term", "from", "sent", "overlapped", "duplicates")
  local due = tonumber(call("ZSCORE", Entries.index, entry.name))
  -- Who reads it takes a time before all times for none.
  if due and due < 0 then due = 0 end
  if stored[1] ~= entry.version or due ~= (tonumber(entry.due) or 0) then
    -- The reply to an earlier try was lost.
    if stored[1] == entry.newVersion and stored[5] == token and stored[6] == entry.due then
      return { "done", tonumber(stored[7] or nil) or 0, tonumber(stored[8] or nil) or 0, tonumber(stored[9] or nil) or 0 }
    end
    return { "changed" }
  end
  local flaw = flawIn(entry.ticks)
  if flaw then return { "failed", flaw } end

  local queue, id, sent, overlapped, duplicates = stored[3], stored[4], 0, 0, 0
  local last = {}
  for _, tick in ipairs(entry.ticks) do
    if tick.skip and id and isUnfinished(queue, id) then
      overlapped = overlapped + 1
    elseif isThere(tick.messages[1]) then
      duplicates = duplicates + 1
    else
      -- The first one last: it says that the tick was sent.
      for n = #tick.messages, 1, -1 do send(tick.messages[n]) end
      sent, queue, id = sent + 1, tick.messages[1].queue, tick.messages[1].id
      last = { "lastDue", tick.due, "lastSentAt", now, "lastId", id, "lastQueue", queue }
    end
  end
  call("HSET", key, "version", entry.newVersion, "count", (tonumber(stored[2] or nil) or 0) + sent,
    "term", token, "from", entry.due, "sent", sent, "overlapped", overlapped, "duplicates", duplicates, unpack(last))
  call("ZADD", Entries.index, entry.following == "" and "+inf" or entry.following, entry.name)
  return { "done", sent, overlapped, duplicates }
end

if call("GET", Entries.leader) ~= token then return false end
local replies = {}
while at < #ARGV do
  local entry = nextEntry()
  local ok, reply = pcall(advance, entry)
  if not ok then
    local why = type(reply) == "table" and reply.err or tostring(reply)
    -- It concerns the whole call, of which nothing was written: only a first write is refused.
    if string.find(why, "OOM", 1, true) or string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
    reply = { "failed", why }
  end
  replies[#replies + 1] = reply
end
return replies
`,
  "bullmq/beat/campaign": `--[[
  Begins a term, unless somebody leads.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term, new
  ARGV[2]       how long it lasts, ms

  Returns the number of the term, or false
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local token = ARGV[1]
local current = call("GET", Entries.leader)
-- The reply to an earlier try was lost.
if current == token then
  call("PEXPIRE", Entries.leader, ARGV[2])
  return tonumber(call("GET", KEYS[1] .. "epoch"))
end
if current then
  -- The clock of the server has gone back, or somebody took the end away: a dead leader must not lead for longer than one that lives.
  local left = call("PTTL", Entries.leader)
  if left < 0 or left > tonumber(ARGV[2]) then call("PEXPIRE", Entries.leader, ARGV[2]) end
  return false
end
local epoch = call("INCR", KEYS[1] .. "epoch")
call("DEL", Entries.leftOut)
call("SET", Entries.leader, token, "PX", ARGV[2])
return epoch
`,
  "bullmq/beat/due": `--[[
  What a leader has to do next.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       time, ms
  ARGV[2]       how many entries at most
  ARGV[3...]    names and versions of entries that rest: of one that has this version still, nothing else is read

  Returns { time of the server, ms; the entries that are due by ARGV[1] or are to be computed, as \`Entries.read\` returns them; when
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
`,
  "bullmq/beat/entries": `--[[
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
    if more < 0 or not string.find(name, "^" .. string.rep("[\\128-\\191]", more), at + 1) then return false end
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
`,
  "bullmq/beat/lost": `--[[
  Which of the entries that a leader has stored are not there any more, though nobody has removed them.

  KEYS[1]       what the keys of beat start with
  ARGV          their names

  Returns the names of those
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local lost = {}
for _, name in ipairs(ARGV) do
  local kept = call("HEXISTS", Entries.keyOf(name), "call") == 1 and call("ZSCORE", Entries.index, name)
  if not kept and call("SISMEMBER", Entries.leftOut, name) == 0 then lost[#lost + 1] = name end
end
return lost
`,
  "bullmq/beat/pause": `--[[
  Pauses an entry, or resumes it: then it is to be computed.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       its name
  ARGV[2]       "1" to pause it, "" to resume it
  ARGV[3]       its version from then on, new
  ARGV[4]       channel of the beats

  Returns 1, or 0 if there is none of this name
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local key, pausing = Entries.keyOf(ARGV[1]), ARGV[2] == "1"
local stored = call("HMGET", key, "version", "paused")
if not stored[1] then return 0 end
if (stored[2] == "1") == pausing then return 1 end
-- A full Redis refuses a script's first write, unless that removes something, and no later one: a flood can be stopped. What says that it is paused comes last: if something is refused,
-- the next try does all of it.
call("HDEL", key, "term")
if pausing then call("HSET", key, "version", ARGV[3])
else call("HSET", key, "version", ARGV[3], "resumedAt", Entries.timeOfServer()) end
call("ZADD", Entries.index, pausing and "+inf" or "0", ARGV[1])
if pausing then call("HSET", key, "paused", "1") else call("HDEL", key, "paused") end
Entries.tell(ARGV[4], "changed")
return 1
`,
  "bullmq/beat/read": `--[[
  Reads entries.

  KEYS[1]       what the keys of beat start with
  ARGV          their names

  Returns each as \`Entries.read\` returns it, false where there is none
]]
local Entries = require("bullmq/beat/entries")

local found = {}
for at, name in ipairs(ARGV) do found[at] = Entries.read(name) end
return found
`,
  "bullmq/beat/remove": `--[[
  Removes an entry.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       its name
  ARGV[2]       token of the removal, new: known for a minute, for those whose reply was lost
  ARGV[3]       channel of the beats

  Returns 1, or 0 if there is none of this name
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

local receipt = KEYS[1] .. "removed:" .. ARGV[2]
if call("EXISTS", receipt) == 1 then return 1 end
local key = Entries.keyOf(ARGV[1])
-- Nothing is deleted yet, and a full Redis lets what is written next pass.
call("DEL", receipt)
if call("EXISTS", key) == 1 and not Entries.isOther(key) and call("HGET", key, "origin") == "options" then call("SADD", Entries.leftOut, ARGV[1]) end
if Entries.drop(ARGV[1]) == 0 then return 0 end
call("SET", receipt, "", "PX", 60000)
Entries.tell(ARGV[3], "changed")
return 1
`,
  "bullmq/beat/renew": `--[[
  Holds on to a term.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       how long it lasts from now on, ms

  Returns 1, or 0 if it is over
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

if call("GET", Entries.leader) ~= ARGV[1] then return 0 end
return call("PEXPIRE", Entries.leader, ARGV[2])
`,
  "bullmq/beat/resign": `--[[
  Ends a term, if it is not over.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       channel of the beats
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

if call("GET", Entries.leader) ~= ARGV[1] then return end
call("DEL", Entries.leader)
Entries.tell(ARGV[2], "resigned")
`,
  "bullmq/beat/set": `--[[
  Stores an entry at run time, in the place of one of its name.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       its name
  ARGV[2]       its call, JSON
  ARGV[3]       its version, new
  ARGV[4]       channel of the beats
]]
local call = redis.call
local Entries = require("bullmq/beat/entries")

-- The reply to an earlier try was lost.
local key = Entries.keyOf(ARGV[1])
if not Entries.isOther(key) and call("HGET", key, "version") == ARGV[3] then return end
Entries.store(ARGV[1], ARGV[2], "runtime", ARGV[3], Entries.timeOfServer())
Entries.tell(ARGV[4], "changed")
`,
  "bullmq/beat/sync": `--[[
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

-- When a call is due; nil if it cannot be read. A start that is past is as good as any other: \`new Date()\` is another one with each leader.
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

-- Marks an entry to be computed if it is due behind \`time\`, or never was any more.
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
`,
  "bullmq/count": `--[[
  Counts that deliveries start to run, or have ended without being settled: one that has started and not ended is a crash.

  KEYS[q]       what the keys of queue q start with
  ARGV[4d-3]    queue of delivery d, an index into KEYS
  ARGV[4d-2]    id
  ARGV[4d-1]    number of the delivery
  ARGV[4d]      its token: it begins, if it is still on loan; "": it has ended

  Returns for each delivery: 1 counted, 0 not on loan any more
]]
local StartedDeliveries = require("parts/started-deliveries")

local replies = {}
for d = 1, #ARGV / 4 do
  local job, number, token = KEYS[tonumber(ARGV[4 * d - 3])] .. ARGV[4 * d - 2], ARGV[4 * d - 1], ARGV[4 * d]
  replies[d] = 0
  if token == "" then
    if redis.call("EXISTS", job) == 1 then
      StartedDeliveries.remove(job, number)
      replies[d] = 1
    end
  elseif redis.call("GET", job .. ":lock") == token then
    StartedDeliveries.add(job, number)
    -- Somebody knows it: if it comes to one who does not, that is a time of its own.
    redis.call("HDEL", job, "unknownSince")
    replies[d] = 1
  end
end
return replies
`,
  "bullmq/counts": `--[[
  How many jobs queues hold. No key is declared: what is declared needs the right to write.

  ARGV[q]       what the keys of queue q start with

  Returns, with 0 for a key that holds something of another kind, for each queue: { waiting, delayed, active, completed, failed }
]]
local ask = require("parts/ask")
local replies = {}
for q, prefix in ipairs(ARGV) do
  local function length(suffix) return ask("LLEN", prefix .. suffix) or 0 end
  local function size(suffix) return ask("ZCARD", prefix .. suffix) or 0 end
  replies[q] = { length("wait") + length("paused") + size("prioritized"), size("delayed"), length("active"), size("completed"), size("failed") }
end
return replies
`,
  "bullmq/flow/add-member": `--[[
  Adds a member to the group of a member that runs, and sends it. The join of the group waits for it too: its value comes behind all others.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow
  ARGV[5]       number of the call that adds it
  ARGV[6]       number of the join
  ARGV[7]       id of the new call
  ARGV[8]       its queue
  ARGV[9]       its queue, JSON
  ARGV[10]      what is known of it, JSON that begins with its id, without its positions
  ARGV[11]      its head, without its positions
  ARGV[12]      its message up to its positions
  ARGV[13]      its message behind these

  Returns "added"; "known" if it was added before; "ended" if there is no such flow, call or join any more, or they cannot be read
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")

local id, queue, queueText = ARGV[7], ARGV[8], ARGV[9]
local flow = FlowPlan.flow(FlowPlan.new(space), ARGV[4])
if not flow then return "ended" end
if call("HEXISTS", flow.key, "+" .. id) == 1 then return "known" end
local by, joinNumber = tonumber(ARGV[5]), tonumber(ARGV[6])
if not StoredFlow.has(flow, by) or call("GETBIT", flow.key .. ":done", by) == 1 then return "ended" end

-- The join with one slot more; nil if it cannot be read.
local function grown(join)
  local text, count = string.gsub(call("HGET", flow.key, "j" .. joinNumber), '"size":%d+', '"size":' .. join.size + 1, 1)
  local read = count == 1 and StoredFlow.decode(text)
  return read and read.size == join.size + 1 and text or nil
end

-- The queues with that of the new call; nil if they cannot be read.
local function queuesWith(text)
  local inner = text and string.match(text, "^%[(.+)%]$")
  if not inner then return nil end
  if string.find("," .. inner .. ",", "," .. queueText .. ",", 1, true) then return text end
  return "[" .. inner .. "," .. queueText .. "]"
end

local join = Joins.read(flow, joinNumber)
local joinText = join and grown(join)
local queues, first, off = unpack(call("HMGET", flow.key, "queues", "added", "off"))
queues = queuesWith(queues)
if not joinText or not queues then return "ended" end

local number = flow.calls
local positions = '"positions":[{"flow":"' .. flow.id .. '","call":' .. number .. ',"next":[["slot",' .. joinNumber .. "," .. join.size .. "]]}]"
local function placed(text) return string.sub(text, 1, -2) .. "," .. positions .. "}" end

-- First among what is to be sent: wherever this is cut short, whoever looks after flows sends what the join counts. A number that no call has is passed over there.
local backlog, entry = flow.key .. ":backlog", number .. " "
call("RPUSH", backlog, entry)
-- One command: all of it is there, or nothing.
call("HSET", flow.key,
  "+" .. id, number, "a" .. number, placed(ARGV[10]), "c" .. number, placed(ARGV[11]) .. "\\n" .. ARGV[12] .. "," .. positions .. ARGV[13],
  "j" .. joinNumber, joinText, "calls", number + 1, "remaining", flow.remaining + 1, "queues", queues, "added", first or number)
flow.calls, flow.remaining, flow.size = number + 1, flow.remaining + 1, nil
-- What its queue refuses now stays in the backlog.
if pcall(require("bullmq/flow/send-calls").send, space.now, { { flow = flow, number = number } }) then call("LREM", backlog, -1, entry) end
call("ZADD", space.index, space.now, flow.id)
if off then
  -- As the other members: whoever takes it drops it, without waiting for its time.
  local key = space.queues .. queue .. ":"
  if StoredFlow.ask("HEXISTS", key .. id, "name") == 1 then call("HSETNX", key .. id, "revoked", "its chord was revoked") end
  StoredFlow.ask("ZADD", key .. "delayed", "XX", string.format("%.0f", tonumber(space.now) * 0x1000), id)
  if StoredFlow.ask("ZSCORE", key .. "delayed", id) then StoredFlow.ask("ZADD", key .. "marker", 0, "0") end
end
return "added"
`,
  "bullmq/flow/advance-flow": `--[[
  Finds out what follows upon the end of a call of a flow, and does it. What fails without having run is left to flow/fail-cascade: its records have to be stored before the flow forgets
  it, perhaps on another server. For plans and endings see flow/flow-plan, for what Redis keeps flow/stored-flow.
]]
local call = redis.call
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")
local SendCalls, keepText = require("bullmq/flow/send-calls"), require("bullmq/flow/keep-text")
local AdvanceFlow = {}

-- An error link is told of the failures of the calls from \`first\` to \`last\`, or of all.
local function visitErrorLink(plan, flow, number, first, last, ending)
  local isTold = ending.failure and (not first or (ending.by and ending.by >= first and ending.by <= last))
  if isTold then plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = ending.told or ending.failure }
  else FlowPlan.cascade(plan, flow, FlowPlan.dropped, "drop", number) end
end

local function visitCalls(plan, flow, kind, ending, first, last)
  local value = ending.value
  if value or ending.starts then
    -- What they say is read when they are sent: there may be thousands.
    for number = first, last do plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = value } end
  elseif ending.failure and (kind == "step" or kind == "steps") then
    if first > last then return end
    if first == last then FlowPlan.cascade(plan, flow, ending, "call", first) else FlowPlan.cascade(plan, flow, ending, "calls", first, last) end
  else
    for number = first, last do FlowPlan.cascade(plan, flow, FlowPlan.dropped, "drop", number) end
  end
end

-- What a target asks for, if it is one of the flow's.
local function visit(plan, flow, target, ending)
  if type(target) ~= "table" then return end
  local kind, number, third, fourth = target[1], target[2], target[3], target[4]
  if kind == "slot" and StoredFlow.isIndex(number) and StoredFlow.isIndex(third) then Joins.visitSlot(plan, flow, number, third, ending)
  elseif kind == "open" and StoredFlow.isIndex(number) then Joins.visitEmpty(plan, flow, number, ending)
  elseif kind == "error" and StoredFlow.has(flow, number) and StoredFlow.isRangeOrNone(third, fourth) then visitErrorLink(plan, flow, number, third, fourth, ending)
  elseif kind == "steps" then visitCalls(plan, flow, kind, ending, StoredFlow.range(flow, number, third))
  elseif (kind == "step" or kind == "link") and StoredFlow.has(flow, number) then visitCalls(plan, flow, kind, ending, number, number) end
end

-- Follows all targets from where the plan begins.
function AdvanceFlow.walk(plan)
  local at = 1
  while plan.work[at] do
    local flow, target, ending = unpack(plan.work[at])
    plan.work[at] = false
    at = at + 1
    visit(plan, flow, target, ending)
  end
end

local function removeFlow(flow)
  for _, field in ipairs(call("HKEYS", flow.key)) do
    if string.sub(field, 1, 1) == "j" then call("DEL", flow.key .. ":" .. string.sub(field, 2)) end
  end
  call("DEL", flow.key, flow.key .. ":sent", flow.key .. ":done", flow.key .. ":backlog", flow.key .. ":cascade")
  call("ZREM", flow.space.index, flow.id)
end

local function writeCascade(plan)
  for _, one in ipairs(plan.cascade) do
    local words, failure, startsMembersOf = one.words, one.ending.failure, {}
    if failure then
      for join in pairs(one.ending.startsMembersOf or {}) do startsMembersOf[#startsMembersOf + 1] = join end
      local n, told = #words, one.ending.told
      words[n + 1], words[n + 2] = keepText(one.flow, "f", failure), table.concat(startsMembersOf, ",")
      words[n + 3] = (one.ending.by or "") .. (told and ":" .. keepText(one.flow, "f", told) or "")
    end
    call("RPUSH", one.flow.key .. ":cascade", table.concat(words, " "))
  end
end

local function isBehind(flow)
  return call("EXISTS", flow.key .. ":backlog", flow.key .. ":cascade") > 0
end

-- Carries a plan out. What is sent comes first: when that fails, it is found out anew. Returns the flows with something left to do.
function AdvanceFlow.carryOut(plan)
  local now = plan.space.now
  SendCalls.send(now, SendCalls.keepBacklog(plan.sent))
  writeCascade(plan)
  for _, flow in pairs(plan.flows) do
    if flow then Joins.write(flow) end
  end
  for _, one in ipairs(plan.ended) do
    local flow, number, unsent = unpack(one)
    if unsent then call("HDEL", flow.key, "c" .. number) end
    if call("SETBIT", flow.key .. ":done", number, 1) == 0 then flow.remaining = call("HINCRBY", flow.key, "remaining", -1) end
  end
  local behind = {}
  for id, flow in pairs(plan.flows) do
    if flow then
      if flow.remaining == 0 then
        removeFlow(flow)
      else
        call("ZADD", plan.space.index, now, id)
        if (#plan.sent > 1 or #plan.cascade > 0) and isBehind(flow) then behind[#behind + 1] = id end
      end
    end
  end
  return behind
end

-- Does what follows upon the end of the call at \`positions\`, JSON. Returns the flows with something left to do.
function AdvanceFlow.after(space, positions, ending)
  local plan = FlowPlan.new(space)
  FlowPlan.finish(plan, cjson.decode(positions), ending)
  AdvanceFlow.walk(plan)
  return AdvanceFlow.carryOut(plan)
end

-- Others run in the place of a call: it ends when they do.
function AdvanceFlow.replace(space, positions)
  local plan = FlowPlan.new(space)
  StoredFlow.eachPosition(cjson.decode(positions), function(position)
    local flow = FlowPlan.flow(plan, position.flow)
    if flow and StoredFlow.has(flow, position.call) then call("SETBIT", flow.key .. ":sent", position.call, 0) end
  end)
end

return AdvanceFlow
`,
  "bullmq/flow/begin": `--[[
  Begins a flow, unless it has begun.

  KEYS[1]       the flow
  KEYS[2]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       its id
  ARGV[5]       what begins: JSON list of targets
  ARGV[6...]    fields and values: layout, remaining, maxBytes, …, and calls and joins that were not kept before

  Returns 1 if something is left to be sent, else 0
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[2] }
local AdvanceFlow, FlowPlan = require("bullmq/flow/advance-flow"), require("bullmq/flow/flow-plan")

local backlog = KEYS[1] .. ":backlog"
local remaining, starting, layout = unpack(call("HMGET", KEYS[1], "remaining", "starting", "layout"))
require("bullmq/flow/stored-flow").checkLayout(KEYS[1], ARGV[4], remaining, layout)
if remaining and not starting then return call("EXISTS", backlog) end
-- Until all that begins is sent: if that is refused, whoever repeats the call goes on with it.
if not remaining then
  call("HSET", KEYS[1], "starting", "1")
  for at = 6, #ARGV, 1000 do call("HSET", KEYS[1], unpack(ARGV, at, math.min(at + 999, #ARGV))) end
end
local plan = FlowPlan.new(space)
FlowPlan.push(plan, FlowPlan.flow(plan, ARGV[4]), cjson.decode(ARGV[5]), { starts = true })
AdvanceFlow.walk(plan)
AdvanceFlow.carryOut(plan)
call("HDEL", KEYS[1], "starting")
return call("EXISTS", backlog)
`,
  "bullmq/flow/call-off": `--[[
  Has whoever takes a message of a flow from now on look for a result first: calls that have not been sent may be revoked.

  KEYS[1]       the flow
  ARGV[1]       the first call to look at; "" for those whose numbers follow
  ARGV[2]       how many from there, at most
  ARGV[3...]    numbers of calls

  Returns nothing if there is no such flow, else { numbers of those that have not ended, queues as JSON, ids that do not follow from the flow's as JSON, numbers of links as JSON,
      the first call that was not looked at, 0 if there is none }
]]
local call = redis.call
local StoredFlow = require("bullmq/flow/stored-flow")
local head = StoredFlow.ask("HMGET", KEYS[1], "remaining", "calls", "queues", "customIds", "links", "added", "layout")
if head then StoredFlow.checkLayout(KEYS[1], string.match(KEYS[1], "[^:]*$"), head[1], head[7]) end
if not head or not head[1] then return false end
local calls = tonumber(head[2] or nil)
local flow = { key = KEYS[1], calls = StoredFlow.isIndex(calls) and calls or 0 }
call("HSET", KEYS[1], "resent", "1")
-- What is added from now on is revoked, too.
if ARGV[1] ~= "" then call("HSET", KEYS[1], "off", "1") end

local open, following = {}, 0
local function look(number)
  if call("GETBIT", KEYS[1] .. ":done", number) == 0 then open[#open + 1] = number end
end
if ARGV[1] == "" then
  for at = 3, #ARGV do
    local number = tonumber(ARGV[at])
    if StoredFlow.has(flow, number) then look(number) end
  end
else
  local all = math.min(flow.calls, StoredFlow.size(flow))
  local to = math.min(all, tonumber(ARGV[1]) + tonumber(ARGV[2]))
  for number = tonumber(ARGV[1]), to - 1 do look(number) end
  if to < all then following = to end
end
return { open, head[3], StoredFlow.customIdsWithAdded(KEYS[1], head[4], tonumber(head[6] or nil), open), head[5], following }
`,
  "bullmq/flow/cascade": `--[[
  What is to fail, or to be dropped, without having run: a batch of it at a time. \`<flow>:cascade\` is a list of entries:
    call n f s b        call n fails with failure f. s: joins of whose groups it starts a member. b: the call that failed, and ":" and the number of the failure that error links get, if that
                        is another; "" if it is the call itself, behind a group
    calls n n f s b     the same for the calls from the first n to the second
    drop n              call n is dropped
    join n              join n fails, in words that have to be found first
]]
local call = redis.call
local StoredFlow = require("bullmq/flow/stored-flow")
-- Most in one batch: calls and joins, and bytes of the failures of all of them.
local Cascade = { units = 100, bytes = 1024 * 1024 }

-- The text of a failure; false if there is none.
function Cascade.failure(flow, number)
  flow.failures = flow.failures or {}
  if not flow.failures[number] then flow.failures[number] = call("HGET", flow.key, "f" .. number) end
  return flow.failures[number]
end

-- What an entry of the list says: its kind, the first and the last number, failure, startsMembersOf, failed. Nothing if it is none, or is about calls that the flow does not have.
local function read(flow, entry)
  local kind, rest = string.match(entry, "^(%a+) (.*)$")
  local first, last, failure, startsMembersOf, failed
  if kind == "calls" then first, last, failure, startsMembersOf, failed = string.match(rest, "^(%d+) (%d+) (%d+) (%S*) ?(%S*)$")
  elseif kind == "call" then first, failure, startsMembersOf, failed = string.match(rest, "^(%d+) (%d+) (%S*) ?(%S*)$")
  elseif kind == "drop" or kind == "join" then first = string.match(rest, "^%d+$") end
  if not first or (failure and not Cascade.failure(flow, failure)) then return nil end
  first, last = tonumber(first), tonumber(last or first)
  if kind == "join" then return StoredFlow.isIndex(first) and kind or nil, first, first end
  if not StoredFlow.has(flow, first) then return nil end
  if last > first then last = math.min(last, flow.calls - 1, StoredFlow.size(flow) - 1) end
  return kind, first, last, failure, startsMembersOf or "", failed or ""
end

-- Calls \`visit(kind, number, failure, startsMembersOf, failed)\` for the first calls and joins of the list, at most \`most\` of them. Returns how many there were, how many entries of the list they
-- are, and what is to stand in the place of the next entry, if a part of it was among them.
function Cascade.each(flow, most, visit)
  local units, bytes, entries = 0, 0, 0
  for _, entry in ipairs(StoredFlow.ask("LRANGE", flow.key .. ":cascade", 0, Cascade.units - 1) or {}) do
    local kind, first, last, failure, startsMembersOf, failed = read(flow, entry)
    for number = kind and first or 0, kind and last or -1 do
      bytes = bytes + (failure and #Cascade.failure(flow, failure) or 0)
      if units == most or (bytes > Cascade.bytes and units > 0) then
        return units, entries, number > first and table.concat({ kind, number, last, failure, startsMembersOf, failed }, " ") or nil
      end
      visit(kind == "calls" and "call" or kind, number, failure, startsMembersOf, failed)
      units = units + 1
    end
    entries = entries + 1
  end
  return units, entries, nil
end

return Cascade
`,
  "bullmq/flow/continue": `--[[
  Does what follows upon the end of a call whose own message is gone.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       positions of the call, JSON
  ARGV[5]       "value" or "failure"
  ARGV[6]       the value or the failure, JSON

  Returns the flows with something left to do
]]
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
return require("bullmq/flow/advance-flow").after(space, ARGV[4], { [ARGV[5]] = ARGV[6] })
`,
  "bullmq/flow/fail-cascade": `--[[
  Fails, or drops, a batch of what is not to run, now that its records are stored.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow
  ARGV[5]       the first entry, as flow/read-cascade returned it: nothing is done if it is another one by now
  ARGV[6]       number of calls and joins
  ARGV[7]       the words of joins by their numbers, JSON of failures' JSON

  Returns the flows with something left to do
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")
local AdvanceFlow, Cascade = require("bullmq/flow/advance-flow"), require("bullmq/flow/cascade")

local plan = FlowPlan.new(space)
local flow = FlowPlan.flow(plan, ARGV[4])
if not flow then return {} end
local key = flow.key .. ":cascade"
if StoredFlow.ask("LINDEX", key, 0) ~= ARGV[5] then return { flow.id } end
local words = cjson.decode(ARGV[7])

-- The failure of a group, told of the call behind it. A group's own words begin with its id and its name.
local function toldOf(failure, id, task)
  local rest = string.match(failure, '^{"id":"[^"]*","task":"group"(.*)$')
  return rest and '{"id":' .. cjson.encode(id) .. ',"task":' .. cjson.encode(task) .. rest
end

-- The task that a call is for those who wait for it: the last of those that it stands for is the one that asked for it.
local function taskOf(head)
  return head.replaces and head.replaces[1] or head
end

-- What cannot be read counts as sent: whoever looks after flows finds that it has no message.
local function noteUnreadable(number)
  if call("HEXISTS", flow.key, "c" .. number) == 0 then return end
  call("SETBIT", flow.key .. ":sent", number, 1)
  call("HDEL", flow.key, "c" .. number)
end

local function fail(number, failure, startsMembersOf, failed)
  local head = StoredFlow.callIn(flow, number)
  if not head then return noteUnreadable(number) end
  local before = {}
  for join in string.gmatch(startsMembersOf, "%d+") do before[tonumber(join)] = true end
  for _, join in ipairs(head.startsMembersOf or {}) do before[join] = true end
  local text = Cascade.failure(flow, failure)
  local by, told = string.match(failed, "^(%d*):?(%d*)$")
  if by == "" then told = toldOf(text, taskOf(head).id, taskOf(head).task)
  else told = told ~= "" and Cascade.failure(flow, told) or nil end
  FlowPlan.finish(plan, head.positions, { failure = text, startsMembersOf = before, by = tonumber(by) or number, of = flow.id, told = told }, true)
end

local _, entries, rest = Cascade.each(flow, tonumber(ARGV[6]), function(kind, number, failure, startsMembersOf, failed)
  if kind == "call" then
    fail(number, failure, startsMembersOf, failed)
  elseif kind == "drop" then
    local head = StoredFlow.callIn(flow, number)
    if head then FlowPlan.finish(plan, head.positions, FlowPlan.dropped, true) else noteUnreadable(number) end
  else
    local join = Joins.read(flow, number)
    local failureText = words[tostring(number)]
    if join and failureText then Joins.close(plan, flow, join, { failure = failureText }) end
  end
end)
AdvanceFlow.walk(plan)
local behind = AdvanceFlow.carryOut(plan)
-- What was done leaves the list last: if that is refused, it is done once more, which changes nothing. A flow that has ended has no list.
if call("EXISTS", key) == 1 then
  if rest then call("LSET", key, entries, rest) end
  if entries > 0 then call("LTRIM", key, entries, -1) end
end
if call("EXISTS", key) == 1 then behind[#behind + 1] = flow.id end
return behind
`,
  "bullmq/flow/flow-plan": `--[[
  What one call of a script is going to do in flows: it is found out first, then done. A plan has
    space       now, ms, what the keys of flows and of queues start with (\`flows\`, \`queues\`), and the index of the flows
    flows       those that it is about, by id
    work        targets that are still to be visited
    sent        calls to be sent, each with its value
    ended       calls that have ended
    cascade     what is to fail or to be dropped without having run

  An ending says how something came out: it has a value (JSON), or a failure and the joins before whose groups that happened, or it starts; or nothing, and then what follows is
  dropped. With a failure, \`by\` is the call that failed, of the flow \`of\`, and \`told\` what error links get instead of the failure; a join that has failed has none of these: the
  calls behind it are those that fail.
]]
local call = redis.call
local StoredFlow = require("bullmq/flow/stored-flow")
local FlowPlan = { dropped = {} }

function FlowPlan.new(space)
  return { space = space, flows = {}, work = {}, ended = {}, sent = {}, cascade = {} }
end

-- A flow that has not ended; false if there is none, or it cannot be read. Fails if it is kept in another layout.
function FlowPlan.flow(plan, id)
  local flow = plan.flows[id]
  if flow ~= nil then return flow end
  local key = plan.space.flows .. id
  local head = StoredFlow.ask("HMGET", key, "remaining", "resent", "maxBytes", "expires", "replyTo", "calls", "layout")
  if head then StoredFlow.checkLayout(key, id, head[1], head[7]) end
  local remaining, maxBytes, calls = tonumber(head and head[1] or nil), tonumber(head and head[3] or nil), tonumber(head and head[6] or nil)
  flow = StoredFlow.isIndex(remaining) and maxBytes and StoredFlow.isIndex(calls) and {
    space = plan.space, id = id, key = key, remaining = remaining, resent = head[2], maxBytes = maxBytes, expires = head[4], replyTo = head[5] or "", calls = calls, joins = {},
  } or false
  plan.flows[id] = flow
  return flow
end

-- Adds targets that an ending reaches.
function FlowPlan.push(plan, flow, targets, ending)
  for at = 1, StoredFlow.targets(flow, targets) do plan.work[#plan.work + 1] = { flow, targets[at], ending } end
end

-- The ending as it is seen at a position of the call: in another flow than that of what failed, the call at that position is the one that failed.
local function endingAt(position, ending)
  if not ending.failure or ending.of == position.flow then return ending end
  return { failure = ending.failure, by = position.call, of = position.flow, told = ending.told }
end

-- A call that stands at these positions has ended; \`unsent\` if it has not run.
function FlowPlan.finish(plan, positions, ending, unsent)
  StoredFlow.eachPosition(positions, function(position)
    local flow = FlowPlan.flow(plan, position.flow)
    if flow and StoredFlow.has(flow, position.call) and call("GETBIT", flow.key .. ":done", position.call) == 0 then
      plan.ended[#plan.ended + 1] = { flow, position.call, unsent }
      FlowPlan.push(plan, flow, position.next, endingAt(position, ending))
    end
  end)
end

-- Adds an entry to what fails or is dropped: its words, as flow/cascade has them.
function FlowPlan.cascade(plan, flow, ending, ...)
  plan.cascade[#plan.cascade + 1] = { flow = flow, ending = ending, words = { ... } }
end

return FlowPlan
`,
  "bullmq/flow/joins": `-- The joins of a flow: each waits until all of its slots are filled.
local call = redis.call
local StoredFlow, FlowPlan, keepText = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/keep-text")
local Joins = {}

-- A join of a flow; false if it has ended, or cannot be read.
function Joins.read(flow, number)
  local join = flow.joins[number]
  if join ~= nil then return join end
  local text, bytes = unpack(call("HMGET", flow.key, "j" .. number, "b" .. number))
  join = text and StoredFlow.decode(text)
  join = join and StoredFlow.isIndex(join.size) and type(join.next) == "table" and join or false
  if join then join.filled, join.failures, join.count, join.bytes = {}, {}, call("HLEN", flow.key .. ":" .. number), tonumber(bytes) or 2 end
  flow.joins[number] = join
  return join
end

-- All that has come to a join of which all has come, in the order of its slots.
function Joins.entries(flow, number, join)
  local entries = {}
  for first = 0, join.size - 1, 1000 do
    local slots = {}
    for slot = first, math.min(first + 999, join.size - 1) do slots[#slots + 1] = slot end
    local stored = call("HMGET", flow.key .. ":" .. number, unpack(slots))
    for i, slot in ipairs(slots) do entries[#entries + 1] = join.filled[slot] or stored[i] or "" end
  end
  return entries
end

-- How a join comes out whose slots are all filled; nil when its words of failure have to be found first.
local function endingOf(flow, number, join)
  local values, failed, before = {}, 0, nil
  for i, entry in ipairs(Joins.entries(flow, number, join)) do
    local mark, rest = string.sub(entry, 1, 1), string.sub(entry, 2)
    if mark == "+" then
      values[i] = rest
    else
      values[i] = "null"
      failed = failed + 1
      if mark == "=" and before ~= false then before = rest else before = false end
    end
  end
  -- None of them has run: what failed stands before the group.
  if before and failed == join.size then return { failure = join.failures[before] or call("HGET", flow.key, "f" .. before) } end
  if (failed == 0 or join.partial) and join.bytes <= flow.maxBytes then return { value = "[" .. table.concat(values, ",") .. "]" } end
  return nil
end

-- Ends a join, and has its targets visited.
function Joins.close(plan, flow, join, ending)
  join.closed = true
  FlowPlan.push(plan, flow, join.next, ending)
end

-- Fills a slot; the last one ends the join.
function Joins.visitSlot(plan, flow, number, slot, ending)
  local join = Joins.read(flow, number)
  if not join or join.closed or slot >= join.size then return end
  if not ending.value and not ending.failure then return Joins.close(plan, flow, join, FlowPlan.dropped) end
  if join.filled[slot] or call("HEXISTS", flow.key .. ":" .. number, slot) == 1 then return end
  if ending.value then
    join.bytes = join.bytes + #ending.value + 1
    -- Beyond the limit nobody will get them.
    join.filled[slot] = "+" .. (join.bytes <= flow.maxBytes and ending.value or "null")
  else
    local before = ending.startsMembersOf and ending.startsMembersOf[number]
    local kept = tostring(keepText(flow, "f", ending.failure))
    join.failures[kept] = ending.failure
    join.filled[slot] = (before and "=" or "-") .. kept
  end
  join.count = join.count + 1
  if join.count < join.size then return end
  local out = endingOf(flow, number, join)
  if out and out.failure then out.startsMembersOf, out.by, out.of, out.told = ending.startsMembersOf, ending.by, ending.of, ending.told end
  if out then return Joins.close(plan, flow, join, out) end
  -- It stays as it is until the words are there.
  FlowPlan.cascade(plan, flow, FlowPlan.dropped, "join", number)
end

-- Ends a join of no slots.
function Joins.visitEmpty(plan, flow, number, ending)
  local join = Joins.read(flow, number)
  if join and not join.closed and join.size == 0 then Joins.close(plan, flow, join, (ending.value or ending.starts) and { value = "[]" } or ending) end
end

-- Writes what has come to the joins of a flow, and removes those that have ended.
function Joins.write(flow)
  for number, join in pairs(flow.joins) do
    if join and join.closed then
      call("HDEL", flow.key, "j" .. number, "b" .. number)
      call("DEL", flow.key .. ":" .. number)
    elseif join then
      for slot, entry in pairs(join.filled) do call("HSET", flow.key .. ":" .. number, slot, entry) end
      call("HSET", flow.key, "b" .. number, join.bytes)
    end
  end
end

return Joins
`,
  "bullmq/flow/keep": `--[[
  Keeps a part of a flow that is to begin.

  KEYS[1]       the flow
  KEYS[2]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       its id
  ARGV[3...]    fields and values
]]
if redis.call("HEXISTS", KEYS[1], "remaining") == 1 then return end
-- In the index first: what is kept and stands there nowhere would never be removed.
redis.call("ZADD", KEYS[2], ARGV[1], ARGV[2])
for at = 3, #ARGV, 1000 do redis.call("HSET", KEYS[1], unpack(ARGV, at, math.min(at + 999, #ARGV))) end
`,
  "bullmq/flow/keep-text": `-- The number under which a text is kept in a flow, in a field that begins with \`kind\`: "v" for a value, "f" for a failure. No other text has had it: what an earlier call left there has others.
local call = redis.call
return function(flow, kind, text)
  flow.texts = flow.texts or {}
  if not flow.texts[kind .. text] then
    local number = call("HINCRBY", flow.key, "texts", 1)
    call("HSET", flow.key, kind .. number, text)
    flow.texts[kind .. text] = number
  end
  return flow.texts[kind .. text]
end
`,
  "bullmq/flow/list-open-calls": `--[[
  Lists which calls of a flow were sent, by themselves and not by others in their place, and have not ended.

  ARGV[1]       key of the flow
  ARGV[2...]    numbers of calls

  Returns those numbers, as texts
]]
local open = {}
for i = 2, #ARGV do
  if redis.call("GETBIT", ARGV[1] .. ":sent", ARGV[i]) == 1 and redis.call("GETBIT", ARGV[1] .. ":done", ARGV[i]) == 0 then open[#open + 1] = ARGV[i] end
end
return open
`,
  "bullmq/flow/list-stale-flows": `--[[
  Lists flows that have not gone on for a while, those that have stood longest first. What was kept of flows that never began, for an hour, is removed.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       how long they have not gone on, ms

  Returns for each: { id, 1 if something is left to do, queues, ids that do not follow from the flow's, time to live and reply channel of results, numbers of the calls
      that were sent and have not ended, at most 1000 of all flows }, or { id, -1, why it is left alone } for one of another layout
]]
local call = redis.call
local now, flowKeys = tonumber(ARGV[1]), ARGV[2]
-- Of all flows: entries of the index, flows, calls, and bytes, each of which stands for eight calls; and bytes of one flow.
local most = { entries = 1000, flows = 100, calls = 1000, bytes = 64 * 1024, ofOne = 512 * 1024 }
local unbegun, chunk = 3600000, 8192
local StoredFlow = require("bullmq/flow/stored-flow")

-- Adds to \`found\` the calls whose bits are in \`sent\` and not in \`done\`, of which the first bits are those of the call \`first\`.
local function open(sent, done, first, found, room)
  for at = 1, #sent do
    local bits = bit.band(string.byte(sent, at), bit.bnot(string.byte(done, at) or 0))
    if bits > 0 then
      for number = 0, 7 do
        if #found == room then return end
        if bit.band(bits, bit.rshift(128, number)) > 0 then found[#found + 1] = first + (at - 1) * 8 + number end
      end
    end
  end
end

-- The calls of a flow that were sent and have not ended, \`room\` at most; and how many bytes were looked at.
local function openIn(key, calls, room)
  local found = {}
  local bytes = math.min(StoredFlow.ask("STRLEN", key .. ":sent") or 0, math.ceil(calls / 8), most.ofOne)
  for from = 0, bytes - 1, chunk do
    local to = math.min(from + chunk, bytes) - 1
    local sent, done = call("GETRANGE", key .. ":sent", from, to), StoredFlow.ask("GETRANGE", key .. ":done", from, to) or ""
    if sent ~= done then open(sent, done, from * 8, found, room) end
    if #found == room then break end
  end
  return found, bytes
end

local flows = {}
for _, id in ipairs(call("ZRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[3], "LIMIT", 0, most.entries)) do
  local key = flowKeys .. id
  local head = StoredFlow.ask("HMGET", key, "remaining", "queues", "customIds", "expires", "replyTo", "calls", "added", "layout")
  local otherLayout = head and StoredFlow.otherLayout(key, id, head[1], head[8])
  local calls = not otherLayout and head and head[1] and head[2] and head[3] and tonumber(head[6] or nil)
  if calls then
    local numbers, bytes = openIn(key, calls, most.calls)
    call("ZADD", KEYS[1], now, id)
    flows[#flows + 1] = { id, call("EXISTS", key .. ":backlog", key .. ":cascade") > 0 and 1 or 0, head[2], StoredFlow.customIdsWithAdded(key, head[3], tonumber(head[7] or nil), numbers), head[4],
      head[5] or "", numbers }
    most.calls = most.calls - #numbers
    most.bytes = most.bytes - bytes
    if #flows == most.flows or most.calls <= 0 or most.bytes <= 0 then break end
  elseif otherLayout then
    call("ZADD", KEYS[1], now, id)
    flows[#flows + 1] = { id, -1, otherLayout }
    if #flows == most.flows then break end
  elseif not head then
    call("ZREM", KEYS[1], id)
  elseif head[1] then
    -- Whatever it is, it must not stand before the others.
    call("ZADD", KEYS[1], now, id)
  elseif tonumber(call("ZSCORE", KEYS[1], id)) < now - unbegun then
    call("DEL", key)
    call("ZREM", KEYS[1], id)
  end
end
return flows
`,
  "bullmq/flow/read-added": `--[[
  Reads what flows say of calls that were added to them, for all of a take at once.

  ARGV          key of a flow and number of a call, in turn

  Returns for each call the text of its field; false where there is none, or where its key holds a value of another type
]]
local replies = {}
for at = 1, #ARGV, 2 do
  local text = redis.pcall("HGET", ARGV[at], "a" .. ARGV[at + 1])
  local failed = type(text) == "table" and text.err
  if failed and not string.find(failed, "WRONGTYPE", 1, true) then return text end
  replies[#replies + 1] = not failed and text
end
return replies
`,
  "bullmq/flow/read-call-groups": `--[[
  Reads what flows say of their calls, for all flows of a take at once.

  ARGV[f]       key of flow f

  Returns for each flow its fields callGroups and customIds; neither where its key holds a value of another type. Of a flow that is kept in another layout it returns that text
  alone, as the third.
]]
local StoredFlow = require("bullmq/flow/stored-flow")
local replies = {}
for f, key in ipairs(ARGV) do
  local fields = StoredFlow.ask("HMGET", key, "callGroups", "customIds", "remaining", "layout")
  local otherLayout = fields and StoredFlow.otherLayout(key, string.match(key, "[^:]*$"), fields[3], fields[4])
  replies[f] = otherLayout and { false, false, otherLayout } or fields and { fields[1], fields[2] } or {}
end
return replies
`,
  "bullmq/flow/read-cascade": `--[[
  Reads what is to be stored and said before a batch of what is not to run can fail.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow

  Returns nothing if nothing is to fail, else { the first entry, number of calls and joins, time to live and reply channel of the results, JSON of
    calls       those that are to fail: { id, task, queue, replaces, failure }
    failures     these by their numbers, each JSON
    joins       those that fail, and whose words are to be found: { number, id, size, failed, named (failures of the first of these, JSON), bytes, maxBytes } }
]]
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")
local Cascade = require("bullmq/flow/cascade")

local flow = FlowPlan.flow(FlowPlan.new(space), ARGV[4])
if not flow then return false end
local first = StoredFlow.ask("LINDEX", flow.key .. ":cascade", 0)
if not first then return false end

local function joinFacts(number)
  local join = Joins.read(flow, number)
  if not join or join.count < join.size then return nil end
  local failed, named = 0, {}
  for _, entry in ipairs(Joins.entries(flow, number, join)) do
    if string.sub(entry, 1, 1) ~= "+" then
      failed = failed + 1
      if #named < 10 then named[#named + 1] = Cascade.failure(flow, string.sub(entry, 2)) or nil end
    end
  end
  return { number = number, id = join.id, size = join.size, failed = join.partial and 0 or failed, named = named, bytes = join.bytes, maxBytes = flow.maxBytes }
end

local calls, failures, joins = {}, {}, {}
local units = Cascade.each(flow, Cascade.units, function(kind, number, failure)
  if kind == "join" then
    joins[#joins + 1] = joinFacts(number)
  elseif kind == "call" then
    local head = StoredFlow.callIn(flow, number)
    if head then
      calls[#calls + 1] = { id = head.id, task = head.task, queue = head.queue, replaces = head.replaces, failure = failure }
      failures[failure] = Cascade.failure(flow, failure)
    end
  end
end)
return { first, units, flow.expires, flow.replyTo, cjson.encode({ calls = calls, failures = failures, joins = joins }) }
`,
  "bullmq/flow/send-backlog": `--[[
  Sends a batch of the backlog of a flow.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow

  Returns how long the backlog is by then
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local FlowPlan = require("bullmq/flow/flow-plan")
local flow = FlowPlan.flow(FlowPlan.new(space), ARGV[4])
if not flow then return 0 end
require("bullmq/flow/send-calls").sendBacklog(flow)
-- It goes on.
call("ZADD", space.index, "XX", space.now, flow.id)
return call("LLEN", flow.key .. ":backlog")
`,
  "bullmq/flow/send-calls": `-- Sends calls of flows whose turn has come: at once, or, where that would hold Redis for long, from a backlog. For what is kept of a flow see flow/stored-flow.
local call = redis.call
local StoredFlow, keepText = require("bullmq/flow/stored-flow"), require("bullmq/flow/keep-text")
local SendCalls = {}

-- Most that is sent at once: messages, and bytes of the values put into them.
local mostSent = { calls = 100, bytes = 4 * 1024 * 1024 }

-- The message with a value before its arguments, which begin at \`from\`.
local function withValue(message, from, value)
  local rest = string.sub(message, from)
  return string.sub(message, 1, from - 1) .. value .. (string.sub(rest, 1, 1) == "]" and "" or ",") .. rest
end

-- The message of a call whose turn has come, and its delay in ms.
local function sealed(flow, head, message, value)
  local times, delay, now = "", head.countdown or 0, tonumber(flow.space.now)
  if value and head.takesValue then message = withValue(message, head.from, value) end
  if delay > 0 then times = '"eta":' .. string.format("%.0f", now + delay) .. "," end
  if head.lifetime then times = times .. '"expires":' .. string.format("%.0f", now + head.lifetime) .. "," end
  if times ~= "" then message = "{" .. times .. string.sub(message, 2) end
  if flow.resent and not head.resent then message = string.sub(message, 1, -2) .. ',"resent":true}' end
  if head.eta then delay = math.max(delay, math.ceil(head.eta - now)) end
  return message, math.max(0, delay)
end

-- What has ended under this id makes room: whoever takes the message finds its result, and goes on.
local function makeRoom(prefix, id)
  if not call("HGET", prefix .. id, "finishedOn") then return end
  call("DEL", prefix .. id, prefix .. id .. ":logs")
  call("ZREM", prefix .. "completed", id)
  call("ZREM", prefix .. "failed", id)
end

-- Sends one call at once, or puts it into the list of its queue if it is plain.
local function sendOne(one, plain)
  local flow = one.flow
  local head, message = StoredFlow.callIn(flow, one.number)
  if not head then return end
  one.isKept = true
  local delay
  message, delay = sealed(flow, head, message, one.value)
  local prefix = flow.space.queues .. head.queue .. ":"
  if flow.resent or head.resent then makeRoom(prefix, head.id) end
  if head.priority > 0 or delay > 0 then
    return require("bullmq/adding/add-single")(prefix, head.id, head.task, message, head.priority, delay, flow.space.now)
  end
  local list = plain[prefix] or {}
  plain[prefix] = list
  list[#list + 1], list[#list + 2], list[#list + 3] = head.id, head.task, message
end

-- Sends calls that were not sent before: { flow, number, value } each. Plain ones are sent in batches, in their order. \`now\`, ms.
function SendCalls.send(now, sends)
  local plain = {}
  for _, one in ipairs(sends) do sendOne(one, plain) end
  for prefix, list in pairs(plain) do require("bullmq/adding/add-batch").allOrNone(prefix, list, 0, #list / 3, now) end
  for _, one in ipairs(sends) do
    if one.isKept then
      call("SETBIT", one.flow.key .. ":sent", one.number, 1)
      call("HDEL", one.flow.key, "c" .. one.number)
    end
  end
end

-- Sends a batch of the backlog.
function SendCalls.sendBacklog(flow)
  local key, sends, over, values, bytes, taken = flow.key .. ":backlog", {}, {}, {}, 0, 0
  for _, entry in ipairs(call("LRANGE", key, 0, mostSent.calls - 1)) do
    local number, of = string.match(entry, "^(%S+) (%d*)$")
    if number == "-" then
      over[#over + 1] = "v" .. of
    elseif number and StoredFlow.has(flow, tonumber(number)) then
      if of ~= "" and not values[of] then values[of] = call("HGET", flow.key, "v" .. of) end
      bytes = bytes + (values[of] and #values[of] or 0)
      if bytes > mostSent.bytes and #sends > 0 then break end
      sends[#sends + 1] = { flow = flow, number = tonumber(number), value = values[of] }
    end
    taken = taken + 1
  end
  SendCalls.send(flow.space.now, sends)
  call("LTRIM", key, taken, -1)
  if #over > 0 then call("HDEL", flow.key, unpack(over)) end
end

-- Puts what is too much to be sent at once into the backlogs of its flows. Returns the rest.
function SendCalls.keepBacklog(sends)
  local bytes = 0
  for _, one in ipairs(sends) do bytes = bytes + (one.value and #one.value or 0) end
  if #sends <= mostSent.calls and (bytes <= mostSent.bytes or #sends == 1) then return sends end
  local entries, kept = {}, {}
  local function add(flow, entry)
    local list = entries[flow] or {}
    entries[flow] = list
    list[#list + 1] = entry
  end
  for _, one in ipairs(sends) do
    local of = one.value and keepText(one.flow, "v", one.value) or ""
    if of ~= "" then kept[of] = one.flow end
    add(one.flow, one.number .. " " .. of)
  end
  for of, flow in pairs(kept) do add(flow, "- " .. of) end
  for flow, list in pairs(entries) do
    for first = 1, #list, 1000 do call("RPUSH", flow.key .. ":backlog", unpack(list, first, math.min(first + 999, #list))) end
  end
  return {}
end

return SendCalls
`,
  "bullmq/flow/stored-flow": `--[[
  Reads what is kept of a flow, whoever has written it: an index that the flow does not have is passed over, what cannot be read counts as missing, and no loop goes further than what is
  stored. What Redis keeps of a flow while it lasts:

    <flow>            hash
      layout          number of the layout of all this; a flow of another layout is left alone
      remaining       how many calls have not ended; there once the flow has begun
      starting        "1" until what it begins with was sent
      calls           how many it has
      callGroups      what was known of its calls when it began, JSON: [first, last, { task, queue, positions, replaces }] for those that are alike
      customIds       ids of calls that do not follow from the flow's id, by their numbers, JSON
      queues, links   the queues of its calls, and the numbers of those that are links, JSON
      added           the first call that was added to a group by one of its members; absent while there is none
      a<n>            what is known of call n, which was added, as long as the flow lasts: { id, task, queue, positions }
      +<id>           number of the call with this id, which was added
      off             "1" when all of it was called off: what is added is revoked, too
      resent          "1" when its messages may have been sent before, or called off: whoever takes one looks for a result first
      maxBytes        longest value that is passed on, bytes
      expires         time to live of the results of calls that do not run, ms
      replyTo         reply channel of these
      texts           number of the last text that was kept: a value or a failure
      c<n>            call n until it is sent: its head, a line feed, its message
      j<n>, b<n>      join n until all has come: { id, size, partial, next }; bytes of its values so far
      v<n>            a value that the backlog needs
      f<n>            a failure, JSON
    <flow>:sent, <flow>:done
                      bitmaps of the calls that were sent, unless others run in their place, and of those that have ended
    <flow>:<n>        hash: what has come to join n, by slot: "+" and a value, "-" and the number of a failure, or "=" and that if what failed stands before the group
    <flow>:backlog    list of calls that are to be sent, each with the number of its value; "- n" when that is not needed any more
    <flow>:cascade    list of what is to fail or to be dropped without having run: see flow/cascade

  The head of a call: { queue, id, task, priority, takesValue, from, countdown, lifetime, eta, resent, positions, replaces, startsMembersOf }.
]]
local call, ask = redis.call, require("parts/ask")
local StoredFlow = { ask = ask, layout = "2" }

-- Up to here the number of calls that a flow says it has is believed: a bit there costs at most 8 KiB.
local believed = 65536
-- Most positions of a message, and targets of one ending that are followed without a look at how many the flow can have.
local mostPositions, fewTargets = 10000, 100

-- Why a flow cannot be read: it is kept in another layout than this one; nil if it is not. \`remaining\`, \`layout\`: these fields.
function StoredFlow.otherLayout(key, id, remaining, layout)
  if layout == StoredFlow.layout then return nil end
  -- The first layout had no number, and other names of fields.
  if not layout and not remaining and call("HEXISTS", key, "left") == 0 then return nil end
  local other = layout and string.match(layout, "^%d+$") and #layout < 10 and layout or "1"
  return "flow " .. id .. " is kept in layout " .. other .. " by another version of Bullrush, and this one reads layout " .. StoredFlow.layout
end

-- Fails if a flow is kept in another layout than this one.
function StoredFlow.checkLayout(key, id, remaining, layout)
  local why = StoredFlow.otherLayout(key, id, remaining, layout)
  if why then error({ err = "LAYOUT " .. why }, 0) end
end

function StoredFlow.isIndex(value)
  return type(value) == "number" and value >= 0 and value < 2 ^ 53 and value % 1 == 0
end

-- The first and the last of some, or neither.
function StoredFlow.isRangeOrNone(first, last)
  return first == nil or (StoredFlow.isIndex(first) and StoredFlow.isIndex(last))
end

-- The array or object in a text; nil if it is none.
function StoredFlow.decode(text)
  local ok, value = pcall(cjson.decode, text)
  return ok and type(value) == "table" and value or nil
end

-- More calls and joins than this a flow cannot have: each has a field, or a bit.
function StoredFlow.size(flow)
  flow.size = flow.size or call("HLEN", flow.key) + 8 * math.max(call("STRLEN", flow.key .. ":sent"), call("STRLEN", flow.key .. ":done"))
  return flow.size
end

function StoredFlow.has(flow, number)
  return StoredFlow.isIndex(number) and number < flow.calls and (number < believed or number < StoredFlow.size(flow))
end

-- Those of the calls from \`first\` to \`last\` that the flow has. In all they are no more than it has calls, and some: each follows upon one thing.
function StoredFlow.range(flow, first, last)
  if not (StoredFlow.isIndex(first) and StoredFlow.isIndex(last)) then return 0, -1 end
  flow.room = flow.room or math.min(flow.calls, StoredFlow.size(flow)) + 1000
  last = math.min(last, flow.calls - 1, StoredFlow.size(flow) - 1, first + flow.room - 1)
  flow.room = flow.room - math.max(0, last - first + 1)
  return first, last
end

-- How many targets of a list are followed.
function StoredFlow.targets(flow, targets)
  local count = #targets
  return count <= fewTargets and count or math.min(count, 2 * StoredFlow.size(flow))
end

-- Calls \`visit\` for each of the positions that can be read.
function StoredFlow.eachPosition(positions, visit)
  for at, position in ipairs(positions) do
    if at > mostPositions then return end
    if type(position) == "table" and type(position.flow) == "string" and type(position.next) == "table" then visit(position) end
  end
end

local function isText(value) return type(value) == "string" end

local function isTime(value) return value == nil or (type(value) == "number" and value >= 0 and value < 2 ^ 53) end

local function areTasks(list)
  if list == nil then return true end
  if type(list) ~= "table" then return false end
  for _, one in ipairs(list) do
    if type(one) ~= "table" or not isText(one.id) or not isText(one.task) then return false end
  end
  return true
end

local function isHead(head)
  return isText(head.queue) and isText(head.id) and isText(head.task) and StoredFlow.isIndex(head.priority) and StoredFlow.isIndex(head.from)
    and isTime(head.countdown) and isTime(head.lifetime) and isTime(head.eta) and type(head.positions) == "table" and areTasks(head.replaces)
    and (head.startsMembersOf == nil or type(head.startsMembersOf) == "table")
end

-- The head of a call that is not sent yet, and its message; nil if there is none that can be read.
function StoredFlow.callIn(flow, number)
  local text = call("HGET", flow.key, "c" .. number)
  local border = text and string.find(text, "\\n", 1, true)
  local head = border and StoredFlow.decode(string.sub(text, 1, border - 1))
  if not head or not isHead(head) then return nil end
  return head, string.sub(text, border + 1)
end

-- The ids that do not follow from the flow's, as JSON, with those of the calls among \`numbers\` that were added: none before \`first\` was.
function StoredFlow.customIdsWithAdded(key, customIds, first, numbers)
  local known, ids = customIds and string.match(customIds, "^{(.*)}$"), {}
  if not first or not known then return customIds end
  for _, number in ipairs(numbers) do
    local text = number >= first and call("HGET", key, "a" .. number)
    local id = text and string.match(text, '^{"id":"([%x-]+)"')
    if id then ids[#ids + 1] = '"' .. number .. '":"' .. id .. '"' end
  end
  if known ~= "" then table.insert(ids, 1, known) end
  return "{" .. table.concat(ids, ",") .. "}"
end

return StoredFlow
`,
  "bullmq/forget": `--[[
  Removes what is kept of tasks that have ended: their finished jobs, what events tell of their failures, and their dead letters. What has not ended stays, but for
  messages that were revoked before anybody has taken them: those of flows stay until a worker has seen to what follows upon them.

  KEYS[1]       names of the queues to which messages were ever sent
  ARGV[1]       what the keys of queues start with
  ARGV[2]       what our own keys of queues start with
  ARGV[3]       how many queues are named
  then their names, and the ids of the tasks

  Returns for each task, or for as many as one call is good for: 0 nothing of it is left, 1 it has not ended, 2 it has not either and is on loan to a worker
]]
local call = redis.call
local queueKeys, ownKeys, queues = ARGV[1], ARGV[2], {}

local ask, NamedQueues = require("parts/ask"), require("parts/named-queues")
local Retained, RetainedKeys = require("parts/retained"), require("parts/retained-keys")

for q = 1, tonumber(ARGV[3]) do queues[q] = ARGV[3 + q] end
local first, last = 4 + #queues, #ARGV
for _, queue in ipairs(NamedQueues.others(KEYS[1], queues)) do queues[#queues + 1] = queue end
-- Some commands are sent for each queue and task.
last = math.min(last, first - 1 + math.max(1, math.floor(NamedQueues.mostSought(queues) / 10)))

-- Takes it out of a set, if it is there.
local function takeOut(kind, id)
  local score = ask("ZSCORE", kind.set, id)
  if not score then return end
  local class, isOurs = Retained.read(score)
  local gone = {}
  RetainedKeys.add(kind, gone, id, isOurs)
  call("DEL", unpack(gone))
  call("ZREM", kind.set, id)
  Retained.count(kind, -Retained.sizeOf(class))
end

-- How many ids of lists this call may still look at for revoked messages: a million take Redis about 15 ms.
local lookable = 1000000

-- Removes a message that was revoked, if it waits. Gives whether it did.
local function removeRevoked(prefix, id)
  -- The words that the messages of flows have: an argument may look like it, and then the message stays until a worker drops it.
  if string.find(call("HGET", prefix .. id, "data") or "", ',"positions":[{"flow":"', 1, true) then return false end
  local was = (ask("ZREM", prefix .. "delayed", id) or 0) + (ask("ZREM", prefix .. "prioritized", id) or 0)
  for _, list in ipairs({ prefix .. "wait", prefix .. "paused" }) do
    if was > 0 then break end
    lookable = lookable - (ask("LLEN", list) or 0)
    was = ask("LREM", list, -1, id) or 0
  end
  if was == 0 then return false end
  call("DEL", prefix .. id, prefix .. id .. ":logs")
  return true
end

-- 0 if it has ended, or was never here; else 1, or 2 if it is on loan.
local function forget(queue, id)
  local prefix, own = queueKeys .. queue .. ":", ownKeys .. queue .. ":"
  takeOut(Retained.letters(own), id)
  local job = ask("HMGET", prefix .. id, "timestamp", "finishedOn", "event", "revoked")
  if not job or not job[1] then return 0 end
  if not job[2] then
    local isTaken = call("EXISTS", prefix .. id .. ":lock")
    return job[4] and isTaken == 0 and removeRevoked(prefix, id) and 0 or 1 + isTaken
  end
  if job[3] then ask("XDEL", prefix .. "events", job[3]) end
  takeOut(Retained.finished(prefix, own, "completed"), id)
  takeOut(Retained.finished(prefix, own, "failed"), id)
  return 0
end

local replies = {}
for i = first, last do
  if lookable <= 0 then break end
  local left = 0
  for _, queue in ipairs(queues) do left = math.max(left, forget(queue, ARGV[i])) end
  replies[i - first + 1] = left
end
return replies
`,
  "bullmq/let-go": `--[[
  Puts back what a worker has on loan whose process is about to be ended from outside its event loop.

  KEYS[q]       what the keys of queue q start with
  ARGV[4d-3]    queue of delivery d, an index into KEYS
  ARGV[4d-2]    id
  ARGV[4d-1]    token
  ARGV[4d]      "back": it is no crash; "crashed": it is one; else the verdict with which whoever takes it settles it

  Returns for each delivery: 1 put back, 0 not on loan here any more
]]
local call = redis.call
local Attempt, PutBack = require("parts/attempt"), require("parts/put-back")

local function letGo(prefix, id, token, how)
  if call("GET", prefix .. id .. ":lock") ~= token then return 0 end
  if how ~= "back" and how ~= "crashed" then call("HSET", prefix .. id, "verdict", how) end
  local reply = PutBack.job(prefix, id, token, how == "crashed")
  return reply >= 0 and 1 or 0
end

-- One whose keys somebody has spoilt is left to its lease, and keeps no other from its queue.
local replies = {}
for d = 1, #ARGV / 4 do
  local given = { KEYS[tonumber(ARGV[4 * d - 3])], ARGV[4 * d - 2], ARGV[4 * d - 1], ARGV[4 * d] }
  local ok, reply = pcall(letGo, unpack(given))
  if not ok and not Attempt.isWrongType(reply) then letGo(unpack(given)) end
  replies[d] = ok and reply or 0
end
return replies
`,
  "bullmq/locate": `--[[
  Where tasks are. No key is declared: what is declared needs the right to write.

  ARGV[1]       key of the names of the queues to which messages were ever sent
  ARGV[2]       what the keys of queues start with
  ARGV[3]       what the keys of flows start with, or "" to ask for messages alone
  ARGV[4]       how many queues are named
  ARGV[4+q]     name of queue q
  then for each task: its id, "1" to look for it in all other queues too, else "", the number of its queues, and each queue, its number q

  Returns for each task, or for as many as one call is good for: 1 waiting, or the last of a flow that has not come to it; 0 neither, or finished; of one that waits and is revoked, why; of one that is on loan to a worker
      { queue, name, worker, since when, ms, times taken, times ended, what is left of its lease, ms, or -1 if that never ends, and if it has ended before
      its message, unless that is long, and its priority }
]]
local call = redis.call
local queueKeys, flowKeys, named = ARGV[2], ARGV[3], {}
for q = 1, tonumber(ARGV[4]) do named[q] = ARGV[4 + q] end

local ask, NamedQueues = require("parts/ask"), require("parts/named-queues")

-- Longest message that is read to tell at which attempt it is, in bytes.
local longest = 65536

local function loanOf(queue, key, lease)
  local job = call("HMGET", key, "name", "pb", "processedOn", "ats", "atm", "priority")
  local ended = tonumber(job[5]) or 0
  local data = ended > 0 and call("HSTRLEN", key, "data") <= longest and call("HGET", key, "data")
  return { queue, job[1], job[2], job[3], tonumber(job[4]) or 0, ended, lease, data, job[6] }
end

-- Nothing if it is not in this queue, or no job.
local function lookInto(queue, id)
  local key = queueKeys .. queue .. ":" .. id
  local job = ask("HMGET", key, "timestamp", "finishedOn", "revoked")
  -- Somebody has spoilt or removed it, and a worker has it still: what that stores counts.
  if not job or not job[1] then return call("EXISTS", key .. ":lock") == 1 and 1 or nil end
  if job[2] then return nil end
  local lease = call("PTTL", key .. ":lock")
  if lease ~= -2 then return loanOf(queue, key, lease) end
  return job[3] or 1
end

local function lookIntoOwn(id, first, last)
  for i = first, last do
    local found = lookInto(named[tonumber(ARGV[i])], id)
    if found then return found end
  end
  return 0
end

-- A flow has the id of the call that ends it, and is there until that has ended. Whoever may not read flows is told nothing of them.
local function endsFlow(id) return redis.pcall("EXISTS", flowKeys .. id) == 1 end

local sought, replies, missing, at = {}, {}, {}, 5 + #named

local function withFlows()
  if flowKeys == "" then return replies end
  for i, reply in ipairs(replies) do
    if reply == 0 and endsFlow(sought[i]) then replies[i] = 1 end
  end
  return replies
end

while at <= #ARGV do
  local id, elsewhere, count = ARGV[at], ARGV[at + 1] == "1", tonumber(ARGV[at + 2])
  replies[#replies + 1], sought[#replies + 1] = lookIntoOwn(id, at + 3, at + 2 + count), id
  if elsewhere and replies[#replies] == 0 then missing[#missing + 1] = { id = id, number = #replies } end
  at = at + 3 + count
end
if #missing == 0 then return withFlows() end

-- Tasks may have queues of their own among the named ones: to the others these are others.
local others = NamedQueues.others(ARGV[1], {})
local most = NamedQueues.mostSought(others)
if #missing > most then
  for i = #replies, missing[most + 1].number, -1 do replies[i] = nil end
  for i = #missing, most + 1, -1 do missing[i] = nil end
end
local ids = {}
for i, task in ipairs(missing) do ids[i] = task.id end
for _, queue in ipairs(others) do
  if NamedQueues.hasAny(queueKeys .. queue .. ":", ids, 1, #ids) then
    for _, task in ipairs(missing) do
      if replies[task.number] == 0 then replies[task.number] = lookInto(queue, task.id) or 0 end
    end
  end
end
return withFlows()
`,
  "bullmq/probe": `--[[
  Whether a script may store results: selects, writes and publishes as an exchange will. Fails where one of these is not allowed.

  KEYS[1]       a key of the result backend, free to use
  ARGV[1]       database of the result backend
  ARGV[2]       own database
  ARGV[3]       a channel, free to use
]]
redis.call("SELECT", ARGV[1])
-- First, as an exchange does it: a full Redis refuses a script's first write, never a later one.
redis.call("DEL", KEYS[1])
redis.call("SET", KEYS[1], "1", "PX", 1000)
redis.call("GETRANGE", KEYS[1], 0, 1)
redis.call("DEL", KEYS[1])
redis.call("PUBLISH", ARGV[3], "")
redis.call("SELECT", ARGV[2])
return redis.status_reply("OK")
`,
  "bullmq/promote": `--[[
  Moves messages that wait to the front of their queues, so that they are taken next, the first of them first. Moves nothing in a queue that is paused, no message that is not due yet, and none that
  is on loan or has ended.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  ARGV[2]       how many messages of each end of a queue are looked at for one id
  then for each id the id, how many queues it may be in, and the number of each

  Returns for each id: 1 if it was moved, else 0
]]
local call = redis.call
local now, depth = tonumber(ARGV[1]), ARGV[2]

-- BullMQ keeps the time in the upper bits of the score.
local function isDue(score)
  return tonumber(score) < (now + 1) * 0x1000
end

-- From both ends: new messages come in at the head, and the tail is taken from.
local function isWaiting(prefix, id)
  return call("LPOS", prefix .. "wait", id, "MAXLEN", depth) or call("LPOS", prefix .. "wait", id, "RANK", -1, "MAXLEN", depth)
end

-- Written to its new place before it leaves the old one: a script that fails between the two loses nothing. The first command deletes nothing: it asks whether that is allowed.
local function toFront(prefix, id)
  call("ZREM", prefix .. "delayed", "")
  call("RPUSH", prefix .. "wait", id)
end

local function move(prefix, id)
  local key = prefix .. id
  local job = call("HMGET", key, "timestamp", "finishedOn")
  if not job[1] or job[2] or call("EXISTS", key .. ":lock") == 1 then return 0 end
  if call("HEXISTS", prefix .. "meta", "paused") == 1 then return 0 end
  local delayed = call("ZSCORE", prefix .. "delayed", id)
  if delayed and not isDue(delayed) then return 0 end
  if call("ZSCORE", prefix .. "prioritized", id) then
    toFront(prefix, id)
    call("ZREM", prefix .. "prioritized", id)
  elseif delayed then
    toFront(prefix, id)
    call("ZREM", prefix .. "delayed", id)
    call("XADD", prefix .. "events", "*", "event", "waiting", "jobId", id, "prev", "delayed")
    call("HSET", key, "delay", 0)
  elseif isWaiting(prefix, id) then
    toFront(prefix, id)
    -- From the head: the older of the two.
    call("LREM", prefix .. "wait", 1, id)
  else
    return 0
  end
  call("ZADD", prefix .. "marker", 0, "0")
  return 1
end

-- One whose keys somebody has spoilt stays where it is.
local function moved(prefix, id)
  local ok, reply = pcall(move, prefix, id)
  if ok then return reply end
  if require("parts/attempt").isWrongType(reply) then return 0 end
  -- Once more, so that Redis says it with its line.
  return move(prefix, id)
end

local asked = {}
local at = 3
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  asked[#asked + 1] = { ARGV[at], at + 2, at + 1 + count }
  at = at + 2 + count
end

local replies = {}
-- The last first: each is put before those that were moved before it.
for i = #asked, 1, -1 do
  local id, first, last = unpack(asked[i])
  replies[i] = 0
  for queue = first, last do
    if replies[i] == 0 then replies[i] = moved(KEYS[tonumber(ARGV[queue])], id) end
  end
end
return replies
`,
  "bullmq/publish": `--[[
  Adds messages without priority and delay to their queues.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  then for each queue how many messages follow, and for each of these its id, the name of its task, and the message, encoded

  Returns { m, why } for each message that was not added, m counted over all queues
]]
local AddBatch = require("bullmq/adding/add-batch")
local now = ARGV[1]

local refused = {}
local at, before = 2, 0
for _, prefix in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  local ok, reply = pcall(AddBatch.add, prefix, ARGV, at, count, now)
  if not ok then
    AddBatch.takeBack()
    local why = type(reply) == "table" and reply.err or tostring(reply)
    -- It concerns the whole call, of which nothing was written.
    if string.find(why, "OOM", 1, true) or string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
    for m = before + 1, before + count do refused[#refused + 1] = { m, why } end
  else
    for _, m in ipairs(reply) do refused[#refused + 1] = { before + m, "WRONGTYPE Operation against a key holding the wrong kind of value" } end
  end
  at, before = at + 1 + 3 * count, before + count
end
return refused
`,
  "bullmq/publish-single": `--[[
  Adds messages with a priority or a delay to their queues.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  then for each queue how many messages follow, and for each of these
    id, name of the task, the encoded message
    priority, 0 (first) to 9
    delay, ms; 0 for none

  Returns { m, why } for each message that was not added, m counted over all queues
]]
local addSingle = require("bullmq/adding/add-single")
local now = ARGV[1]

local refused = {}
local at, position = 2, 0
for _, prefix in ipairs(KEYS) do
  local first, last = at + 1, at + 5 * tonumber(ARGV[at])
  for m = first, last, 5 do
    position = position + 1
    local ok, reply = pcall(addSingle, prefix, ARGV[m], ARGV[m + 1], ARGV[m + 2], tonumber(ARGV[m + 3]), tonumber(ARGV[m + 4]), now)
    if not ok then
      local why = type(reply) == "table" and reply.err or tostring(reply)
      -- A replica: nothing was written, and the whole call is for the primary.
      if string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
      refused[#refused + 1] = { position, why }
    end
  end
  at = last + 1
end
return refused
`,
  "bullmq/purge": `--[[
  Removes all jobs that wait in a queue, due or not.

  KEYS[1]       what the queue's keys start with

  Returns how many there were
]]
local function key(suffix) return KEYS[1] .. suffix end

local function waiting()
  return redis.call("LLEN", key("wait")) + redis.call("LLEN", key("paused")) + redis.call("ZCARD", key("delayed")) + redis.call("ZCARD", key("prioritized"))
end

-- Nothing is deleted yet: whoever may not delete all of it deletes no job.
redis.call("LTRIM", key("wait"), 0, -1)
redis.call("ZREM", key("delayed"), "")
local before = waiting()
require("drain")({ key("wait"), key("paused"), key("delayed"), key("prioritized"), key("repeat") }, { KEYS[1], "1" })
return before - waiting()
`,
  "bullmq/put-back-lost-takes": `--[[
  Puts back what was taken by calls whose replies were lost: nobody runs it, so it need not wait until its lease has run out, and it is no crash.

  KEYS[q]       what the keys of queue q start with
  ARGV[i]       what the tokens of call i start with, up to the number of the token

  Returns how many jobs were put back
]]
local call = redis.call
local Attempt, PutBack = require("parts/attempt"), require("parts/put-back")

-- So many locks are read at a time: Lua's stack is not endless.
local most = 1000

local function isLost(token)
  for _, start in ipairs(ARGV) do
    if string.sub(token, 1, #start) == start then return true end
  end
  return false
end

local count = 0
local function putBackAll(prefix)
  local ids = call("LRANGE", prefix .. "active", 0, -1)
  for from = 1, #ids, most do
    local locks = {}
    for i = from, math.min(from + most - 1, #ids) do locks[#locks + 1] = prefix .. ids[i] .. ":lock" end
    for i, token in ipairs(call("MGET", unpack(locks))) do
      if token and isLost(token) and PutBack.job(prefix, ids[from + i - 1], token) >= 0 then count = count + 1 end
    end
  end
end

-- A queue whose keys somebody has spoilt is left to the leases, and keeps no other from being looked into.
for _, prefix in ipairs(KEYS) do
  local ok, reply = pcall(putBackAll, prefix)
  if not ok and not Attempt.isWrongType(reply) then putBackAll(prefix) end
end
return count
`,
  "bullmq/read-external": `--[[
  What is to be known of jobs of plain producers before they run.

  KEYS[j]       job j
  ARGV[1]       longest value that is read, in bytes

  Returns for each job: its scheduler, why it is to fail without a run, its options; false for what it lacks, or is too long
]]
local call, longest = redis.call, tonumber(ARGV[1])

local function fieldOf(key, field)
  return call("HSTRLEN", key, field) <= longest and call("HGET", key, field)
end

local replies = {}
for j, key in ipairs(KEYS) do replies[j] = { fieldOf(key, "rjk"), fieldOf(key, "defa"), fieldOf(key, "opts") } end
return replies
`,
  "bullmq/recover": `--[[
  Puts jobs whose lease ran out back into their queues. BullMQ looks twice: a job is recovered at the scan after the one that finds it without a lease. What a refused write has left
  on the active list is taken off it instead: jobs that have ended, that wait, or that are gone.
  Sets the marker of a queue that has jobs and no marker: a worker that heard it may have died, or be stuck, and nobody else hears of them.
  Removes what is kept for longer than its age, a few hundred of each kind in one call, and counts anew, now and then, how much a queue keeps.

  KEYS[1]       index of the flows
  KEYS[2q]      what the keys of queue q start with
  KEYS[2q+1]    what our own keys of queue q start with
  ARGV[1]       now, ms
  ARGV[2]       time between two scans, whoever does them, ms
  ARGV[3q]      before when, ms, it is removed what ended in queue q; completed jobs
  ARGV[3q+1]    the same for failed jobs
  ARGV[3q+2]    the same for dead letters

  Returns the number of jobs that were put back; 1 if there are flows that have not ended, else 0; 1 if more is to be removed for its age, else 0; for each queue of which
      dead letters were removed its number and how many; and for each that could not be looked at, because its keys hold something of another kind, its number and why
]]
local call, now = redis.call, ARGV[1]
local Attempt, Retained = require("parts/attempt"), require("parts/retained")
local CountRetained, DropRetained = require("parts/count-retained"), require("parts/drop-retained")
local moveStalledJobsToWait, wholly = require("moveStalledJobsToWait"), require("parts/wholly")

-- BullMQ would fail a job that stalled more often than this; lost replies count as stalls there, so that is not for it to decide.
local oftenest = 1000000000

local function markIfNeeded(key)
  if redis.call("EXISTS", key("marker")) == 1 then return end
  local held = redis.call("HMGET", key("meta"), "paused", "concurrency")
  -- BullMQ sets none while a queue is paused or full, and a limited one is looked into without.
  if held[1] or held[2] then return end
  if redis.call("EXISTS", key("wait"), key("prioritized")) > 0 then return redis.pcall("ZADD", key("marker"), "NX", 0, "0") end
  local delayed = redis.call("ZRANGE", key("delayed"), 0, 0, "WITHSCORES")
  if delayed[2] then redis.pcall("ZADD", key("marker"), "NX", math.floor(tonumber(delayed[2]) / 0x1000), "1") end
end

local function kindsOf(prefix, own)
  return { Retained.finished(prefix, own, "completed"), Retained.finished(prefix, own, "failed"), Retained.letters(own) }
end

local more, recovered, dropped, due = 0, 0, {}, {}
-- Most that one call removes for its age.
local room = 1000

-- Removes what is too old of a queue's kinds. Returns how many dead letters went.
local function sweepAll(kinds, first)
  local gone, wanted = 0, 0
  for i, kind in ipairs(kinds) do
    gone, wanted = DropRetained.sweep(kind, now, ARGV[first + i - 1], room)
    room = room - gone
    if gone < wanted then more = 1 end
  end
  return gone
end

-- Those of the kinds that were not counted for a while.
local function noteDue(kinds)
  for _, kind in ipairs(kinds) do
    local at = CountRetained.lastAt(kind, now)
    if at + CountRetained.every <= tonumber(now) then due[#due + 1] = { at = at, kind = kind } end
  end
end

-- The longest ago first: counting ten thousand members takes Redis a few ms.
local function countAnew()
  table.sort(due, function(a, b) return a.at < b.at end)
  local counted = 0
  for _, one in ipairs(due) do
    if counted >= CountRetained.mostCounted then return end
    local _, looked = CountRetained.kind(one.kind, now)
    counted = counted + looked
  end
end

-- How many messages of each end of a queue are looked at for one that may wait already, and how many locks are read at a time.
local depth, locksAtOnce = 1000, 1000

local function waits(key, id)
  return call("LPOS", key("wait"), id, "RANK", -1, "MAXLEN", depth) or call("LPOS", key("wait"), id, "MAXLEN", depth)
    or call("ZSCORE", key("delayed"), id) or call("ZSCORE", key("prioritized"), id)
end

-- Whether a job that the scan before has found without a lease is not to be put back.
local function isStray(key, id)
  local job = redis.pcall("HMGET", key(id), "timestamp", "finishedOn")
  -- Nobody can run what is no job.
  if job.err and string.find(job.err, "WRONGTYPE", 1, true) then return true end
  if job.err then error(job.err, 0) end
  if not job[1] then return true end
  -- One that was about to end, and stands nowhere else, is taken once more.
  if job[2] then return call("ZSCORE", key("completed"), id) or call("ZSCORE", key("failed"), id) end
  return waits(key, id)
end

local function dropStrays(key)
  local ids = call("SMEMBERS", key("stalled"))
  for from = 1, #ids, locksAtOnce do
    local locks = {}
    for i = from, math.min(from + locksAtOnce - 1, #ids) do locks[#locks + 1] = key(ids[i]) .. ":lock" end
    for i, token in ipairs(call("MGET", unpack(locks))) do
      local id = ids[from + i - 1]
      if not token and isStray(key, id) then
        call("LREM", key("active"), 0, id)
        call("SREM", key("stalled"), id)
      end
    end
  end
end

-- How many ids more than are on the active list the set of those that may be lost can have. Only what is active comes to it.
local mostStrays = 10000

-- Puts back what is stalled, if no other worker has done so just now. Returns how much.
local function recoverStalled(prefix, key)
  if call("EXISTS", key("active"), key("stalled")) == 0 or call("EXISTS", key("stalled-check")) == 1 then return 0 end
  -- To look at each id that somebody has planted would hold Redis for seconds. What is active is marked anew, and put back a scan later.
  if call("SCARD", key("stalled")) > call("LLEN", key("active")) + mostStrays then call("DEL", key("stalled")) end
  dropStrays(key)
  return wholly(function(whole)
    return #moveStalledJobsToWait(
      { key("stalled"), key("wait"), key("active"), key("stalled-check"), key("meta"), key("paused"), key("marker"), key("events"), key("repeat") },
      { oftenest, prefix, ARGV[1], ARGV[2] }, whole)
  end)
end

-- What removes comes first: a full Redis refuses a script's first write, unless it frees room.
for q = 1, (#KEYS - 1) / 2 do
  local kinds = kindsOf(KEYS[2 * q], KEYS[2 * q + 1])
  -- Whatever becomes of it, lost tasks are looked for.
  local gone = Attempt.run(sweepAll, kinds, 3 * q)
  if Attempt.isForPrimary(gone) then return redis.error_reply(gone) end
  if type(gone) == "number" and gone > 0 then dropped[#dropped + 1], dropped[#dropped + 2] = q, gone end
  -- Nor does a count that cannot be read keep lost tasks from being looked for.
  Attempt.run(noteDue, kinds)
end
-- What is wrong with one queue does not keep the others from being looked at. If it is not that somebody has spoilt its keys, it is done once more when they have been, so that Redis says
-- it with its line.
local again
local spoilt = {}
for q = 1, (#KEYS - 1) / 2 do
  local prefix = KEYS[2 * q]
  local function key(suffix) return prefix .. suffix end
  local function look()
    recovered = recovered + recoverStalled(prefix, key)
    markIfNeeded(key)
  end
  local why = Attempt.run(look)
  if why and string.find(why, "WRONGTYPE", 1, true) then spoilt[#spoilt + 1], spoilt[#spoilt + 2] = q, why
  elseif why then again = again or look end
end
local trouble = Attempt.run(countAnew)
if Attempt.isForPrimary(trouble) then return redis.error_reply(trouble) end
if again then again() end
return { recovered, redis.call("EXISTS", KEYS[1]), more, dropped, spoilt }
`,
  "bullmq/renew": `--[[
  Renews leases.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       lease, ms
  ARGV[3d-1]    queue of delivery d, an index into KEYS
  ARGV[3d]      id
  ARGV[3d+1]    token

  Returns for each delivery: 1 renewed, 0 lost, or, renewed too, { why it was revoked, 1 to end it at once or 0 to ask it to end }
]]
local extendLocks, Attempt = require("extendLocks"), require("parts/attempt")

local function renew(prefix, id, token)
  local lost = extendLocks({ prefix .. "stalled" }, { prefix, cmsgpack.pack({ token }), cmsgpack.pack({ id }), ARGV[1] })
  if #lost > 0 then return 0 end
  local marks = redis.call("HMGET", prefix .. id, "revoked", "terminate")
  return marks[1] and { marks[1], marks[2] and 1 or 0 } or 1
end

-- One whose keys somebody has spoilt does not cost the others their leases: what became of it shows when it is settled.
local replies, fault = {}, nil
for d = 1, (#ARGV - 1) / 3 do
  local ok, reply = pcall(renew, KEYS[tonumber(ARGV[3 * d - 1])], ARGV[3 * d], ARGV[3 * d + 1])
  if not ok and not Attempt.isWrongType(reply) then fault = fault or reply end
  replies[d] = ok and reply or 1
end
if fault then error(fault, 0) end
return replies
`,
  "bullmq/revoke": `--[[
  Marks messages as revoked, wherever they are: whoever takes one drops it, and whoever runs one hears of it when it renews the lease.
  What has ended stays as it is. One of a flow that is not due yet is due now: what follows upon it does not wait for its time.

  KEYS[1]       names of the queues to which messages were ever sent
  ARGV[1]       why, if it was not revoked before
  ARGV[2]       "1" to end what runs at once, "" to ask it to end
  ARGV[3]       how many bytes of the end of a message are wanted
  ARGV[4]       how many bytes of messages are read at most: Redis can only read them whole
  ARGV[5]       now, ms
  ARGV[6]       what the keys of queues start with
  ARGV[7]       "1" to look into all queues of the set too, "" for those that are named
  ARGV[8]       how many queues are named
  then their names, and the ids of the tasks

  Returns for each task, or for as many as one call is good for: 0 in none of the queues, 1 ended, or { 1 if it is on loan to a worker, else 0; its queue; name of the task; the
      end of the message, or "" if it was not read; when it is due, ms, if it is not yet, else 0 }
]]
local call = redis.call
local reason, terminate, wanted, readable, now = ARGV[1], ARGV[2] == "1", tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local queueKeys, queues = ARGV[6], {}

local ask, NamedQueues = require("parts/ask"), require("parts/named-queues")

for q = 1, tonumber(ARGV[8]) do queues[q] = ARGV[8 + q] end
local first, last = 9 + #queues, #ARGV
if ARGV[7] == "1" then
  for _, queue in ipairs(NamedQueues.others(KEYS[1], queues)) do queues[#queues + 1] = queue end
  last = math.min(last, first - 1 + NamedQueues.mostSought(queues))
end

local function endOf(key)
  local length = call("HSTRLEN", key, "data")
  if length > readable then return "" end
  readable = readable - length
  return string.sub(call("HGET", key, "data") or "", -wanted)
end

-- BullMQ keeps it in the upper bits of the score.
local function dueOf(prefix, id)
  return math.floor((tonumber(ask("ZSCORE", prefix .. "delayed", id) or nil) or 0) / 0x1000)
end

-- Whether a message is of a flow, or too long to be read for that. Arguments may look like it: then one that nobody will run is dropped early.
local function isOfFlow(key)
  local length = call("HSTRLEN", key, "data")
  if length > readable then return true end
  readable = readable - length
  return string.find(call("HGET", key, "data") or "", ',"positions":[{"flow":"', 1, true) ~= nil
end

local function letBeDue(prefix, id)
  call("ZADD", prefix .. "delayed", "XX", string.format("%.0f", now * 0x1000), id)
  ask("ZADD", prefix .. "marker", 0, "0")
end

-- What is known of the task by now, when queues before may have been looked into: an id of the caller's may have been sent to several.
local function revoke(queue, id, found)
  local prefix = queueKeys .. queue .. ":"
  local key = prefix .. id
  local job = ask("HMGET", key, "name", "finishedOn")
  -- Nobody can run what is no job.
  if not job then return found end
  if job[2] then return found == 0 and 1 or found end
  if not job[1] then return found end
  call("HSETNX", key, "revoked", reason)
  if terminate then call("HSET", key, "terminate", "1") end
  local taken = call("EXISTS", key .. ":lock")
  local due = dueOf(prefix, id)
  if due > now and isOfFlow(key) then
    letBeDue(prefix, id)
    due = 0
  end
  if type(found) ~= "number" and taken <= found[1] then return found end
  return { taken, queue, job[1], endOf(key), due }
end

local replies = {}
for i = first, last do replies[i - first + 1] = 0 end
for _, queue in ipairs(queues) do
  if NamedQueues.hasAny(queueKeys .. queue .. ":", ARGV, first, last) then
    for i = first, last do replies[i - first + 1] = revoke(queue, ARGV[i], replies[i - first + 1]) end
  end
end
return replies
`,
  "bullmq/schedule": `--[[
  Adds the next job of a job scheduler, when one of its jobs is taken. Does nothing when that was done before, or the scheduler is gone.

  KEYS[1]    what the keys of the queue start with
  ARGV[1]    now, ms
  ARGV[2]    id of the scheduler
  ARGV[3]    id of the job that was taken
  ARGV[4]    when the next one is due, ms, or "" for BullMQ to reckon it from the time between two
  ARGV[5]    options of the next one, JSON

  Returns why it could not be added, or false
]]
local prefix = KEYS[1]
local keys = { "repeat", "delayed", "wait", "paused", "meta", "prioritized", "marker", "id", "events", "pc", ARGV[3], "active" }
for i, suffix in ipairs(keys) do keys[i] = prefix .. suffix end

local ok, reply = pcall(require("parts/wholly"), function(whole)
  return require("updateJobScheduler")(keys, { ARGV[4], ARGV[2], "", cmsgpack.pack(cjson.decode(ARGV[5])), ARGV[1], prefix, ARGV[3] }, whole)
end)
if ok then return false end
local reason = type(reply) == "table" and reply.err or tostring(reply)
-- Redis refuses for now: to be tried again. Anything else would fail the same way every time.
if string.find(reason, "OOM", 1, true) or string.find(reason, "READONLY", 1, true) then return redis.error_reply(reason) end
return reason
`,
  "bullmq/settle-and-take": `--[[
  Stores results, settles what has ended, then takes what may run: many jobs in one call.

  Plain cases (one of our messages that succeeded or failed; a queue that is neither paused nor limited, and that has no due and no prioritised jobs) are done in batches, on BullMQ's
  keys and in its formats; all others by BullMQ's own scripts, job by job. Each part is defined on the branch that needs it: a call with nothing to do defines next to nothing.

  KEYS[2q-1]    what the keys of queue q start with
  KEYS[2q]      what our own keys of queue q start with
  ARGV[1]       now, ms
  ARGV[2]       lease, ms
  ARGV[3]       name of the worker
  ARGV[4]       what the tokens of this call start with, never used before
  ARGV[5]       how many to take
  ARGV[6]       "strict": take from a queue until it is empty; "turns": one from each queue in turn
  ARGV[7]       own database
  ARGV[8]       database of the results
  ARGV[9]       what the keys of results start with
  ARGV[10]      longest record that is sent along with a notification, in bytes
  ARGV[11]      longest message that is read, in bytes
  ARGV[12]      how many groups of settlements follow: settlements that are alike, each with a head of four arguments
    queue
    action      done (ours, succeeded), done-again (the same, taken for the second time or more), done-late (the same, but the lease had run out), failed, dead (failed,
                and kept among the dead letters), requeued, crashed (put back too, and it counts as a crash), retried,
                postponed (put back for later), left (a plain job, put back for later because no task is for it); for a job of a plain BullMQ
                producer external-completed, external-failed, external-unrecoverable (failed for good, whatever its attempts) or external-dead
    finish      how many times it has ended, this one included
    how many settlements follow
    only for what ends, or is a plain job's: bytes of all their messages; how many finished jobs of its kind the queue keeps, and of how many bytes; "1" to keep the arguments of
                finished tasks; for dead and external-dead also how many dead letters it keeps, and of how many bytes
    then for each settlement
      id, token; for done-late the number of the delivery instead of the token
      stored          only for done-late: "1" if the result backend has its result
      value, stack    except for done, done-again, done-late, requeued and crashed: return value (JSON), or why it failed; JSON list of stacks,
                      or "". For retried the next message, and the time at which it is due, ms. For postponed and left since when
                      workers put it back that do not know it, ms, or "", and the time at which it is due, ms
  then how many groups of results follow, as parts/store-records reads them
  then how many continuations follow, for what has ended and is part of a flow; if any do, what the keys of flows start with, what those of queues start with, and the index
  of the flows; then for each
      number of the settlement, number of its result among those above or 0
      positions       where it stands in flows, JSON
      ending          "value" or "failure", and the value or the failure, JSON; or "replaced" and "", if others run in its place
  then the queues in their turn, one argument each: q to look whatever its marker says, -q to look only if its marker says that there is something

  Returns { wrong, deliveries, dry, faults, held, behind, dropped }, or only the first three when the others are empty
    wrong       for each settlement that went wrong, two: its number, and a negative code of BullMQ's or an error text
    deliveries  for each, ten: queue, id, name or false, data or false, or its length if it is too long to be read, priority or false, times taken, times ended, number of its token, why it was
                revoked, or a list of its verdict and of since when workers do not know it (each may be false), or false; number of crashes
    dry         for each queue that was looked into and gave nothing: { queue, ms of its rate limit, time of its next delayed job or 0, 1 if a limit may hold jobs back }
    faults      for each queue of which something could not be taken three: its number; why nothing is, or false if that is of single ids, which are no jobs; and how many ids stay on its
                active list until the scan for lost jobs. What was settled and taken stands
    held        numbers of the settlements that were not settled, because another result had been stored, with which their flows have to go on
    behind      flows with something left to do
    dropped     how many dead letters were removed, or not kept, for want of room: for each queue that has any, its number and how many
  Fails as a whole, with nothing settled or taken, when results cannot be stored or Redis is a replica.
]]
-- Whether no marker says that there is something to take. What somebody has spoilt is no marker, and is looked into.
local function isIdle()
  for i = 15, #ARGV do
    local turn = tonumber(ARGV[i])
    local prefix = turn < 0 and KEYS[-2 * turn - 1]
    local marker = prefix and redis.pcall("ZRANGE", prefix .. "marker", 0, 0, "WITHSCORES")
    if not prefix or marker.err or (marker[2] and tonumber(marker[2]) <= tonumber(ARGV[1])) or redis.pcall("HEXISTS", prefix .. "meta", "concurrency") ~= 0 then return false end
  end
  return true
end

-- Most calls of an idle worker end here: nothing is to be settled, stored or continued.
if ARGV[12] == "0" and ARGV[13] == "0" and ARGV[14] == "0" and isIdle() then return { {}, {}, {} } end

local request = { now = ARGV[1], lease = ARGV[2], worker = ARGV[3], tokens = ARGV[4], wanted = tonumber(ARGV[5]), longest = tonumber(ARGV[11]) }
-- What is returned; without \`faults\`, \`held\`, \`behind\` and \`dropped\` until there are any.
local reply = { wrong = {}, given = {}, dry = {} }
local at = 13

local groups = tonumber(ARGV[12])
local SettleGroups = groups > 0 and require("bullmq/settle-and-take/settle-groups")
if SettleGroups then at = SettleGroups.check(request, reply, at, groups) end

local records = tonumber(ARGV[at])
at = at + 1
local stored
if records > 0 then
  local own, results = ARGV[7], ARGV[8]
  if own ~= results then redis.call("SELECT", results) end
  stored, at = require("parts/store-records").groups(at, records, ARGV[9], tonumber(ARGV[10]))
  if own ~= results then redis.call("SELECT", own) end
end

local continuations = tonumber(ARGV[at])
at = at + 1
if continuations > 0 then at = require("bullmq/settle-and-take/continuations").send(request, reply, at, continuations, stored) end

if SettleGroups then
  local refusal = SettleGroups.finish(request, reply)
  if refusal then return redis.error_reply(refusal) end
end

if request.wanted > 0 then
  require("bullmq/settle-and-take/take").all(request, reply, at)
  local why = reply.faults and reply.faults[2]
  if why and #reply.given == 0 and string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
end

local faults, held, behind, dropped = reply.faults, reply.held, reply.behind, reply.dropped
if not (faults or held or behind or dropped) then return { reply.wrong, reply.given, reply.dry } end
return { reply.wrong, reply.given, reply.dry, faults or {}, held or {}, behind or {}, dropped or {} }
`,
  "bullmq/settle-and-take/bounded-reads": `-- Reads jobs of plain producers, whose fields may be of any length.
local call = redis.call
local BoundedReads = {
  -- Longest options of a job that are read, in bytes.
  longestOptions = 65536,
}

-- A field of a job; false if it has more than \`most\` bytes.
function BoundedReads.field(jobKey, field, most)
  return call("HSTRLEN", jobKey, field) <= most and call("HGET", jobKey, field)
end

-- The table that a JSON text holds; an empty one when it holds none.
function BoundedReads.decoded(json)
  local ok, value = pcall(cjson.decode, json or "")
  return ok and type(value) == "table" and value or {}
end

-- What a plain producer asked for; our own messages ask for nothing.
function BoundedReads.options(jobKey)
  return BoundedReads.decoded(BoundedReads.field(jobKey, "opts", BoundedReads.longestOptions))
end

return BoundedReads
`,
  "bullmq/settle-and-take/check-late": `-- Checks a group of late successes: their leases ran out, and the work is done all the same, whoever has their messages now. What waits again and has no result that would say so is marked
-- instead: whoever takes it does not run it. \`accept\` and \`fail\` are called for each settlement, as in settle-batch.
local call = redis.call
return function(reply, batch, accept, fail)
  local prefix, seen = batch.prefix, {}
  for i = 1, batch.count do
    local place = batch.at + (i - 1) * batch.width
    local id, number = ARGV[place], batch.number + i
    local job = redis.pcall("HMGET", prefix .. id, "ats", "finishedOn")
    local times = tonumber(job[1] or nil)
    if job.err then
      fail(reply, number, job.err)
    elseif seen[id] or job[2] or not times or times < tonumber(ARGV[place + 1]) then
      fail(reply, number, -1)
    elseif call("LPOS", prefix .. "active", id) then
      accept(batch, id, place, number, prefix .. id .. ":lock")
      seen[id] = true
    elseif ARGV[place + 2] ~= "1" then
      call("HSET", prefix .. id, "verdict", "succeeded")
    end
  end
end
`,
  "bullmq/settle-and-take/continuations": `-- Sends the continuations of flows' calls that have ended, before these are settled: all in one script, so that no step is lost or done twice.
local SettleBatch = require("bullmq/settle-and-take/settle-batch")
local Attempt = require("parts/attempt")
local Continuations = {}

-- Settlements that passed the check of their tokens, by number: the batch of each, and its place there.
local function batchesOfNumbers()
  local batches = {}
  for _, batch in ipairs(SettleBatch.checked) do
    for i, number in ipairs(batch.numbers) do batches[number] = { batch, i } end
  end
  return batches
end

-- A settlement that is not carried out after all.
local function leaveOut(batch, index)
  batch.out = batch.out or {}
  batch.out[index] = true
end

-- What the continuations of a settlement leave to do: the flows with something behind.
local function advance(space, positions, ending, text)
  local AdvanceFlow = require("bullmq/flow/advance-flow")
  if ending == "replaced" then return AdvanceFlow.replace(space, positions) end
  return AdvanceFlow.after(space, positions, { [ending] = text })
end

local function continueOne(reply, space, at, batches, stored)
  local number, record = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local found = batches[number]
  if not found then return end
  if record > 0 and stored[record] == 1 then
    reply.held = reply.held or {}
    reply.held[#reply.held + 1] = number
    return leaveOut(unpack(found))
  end
  local ok, behind = pcall(advance, space, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  if not ok then
    SettleBatch.fail(reply, number, Attempt.textOf(behind))
    return leaveOut(unpack(found))
  end
  for _, id in ipairs(behind or {}) do
    reply.behind = reply.behind or {}
    reply.behind[#reply.behind + 1] = id
  end
end

-- Sends the \`count\` continuations that stand in ARGV from \`at\` on. \`stored\`: what became of the results. Returns where they end.
function Continuations.send(request, reply, at, count, stored)
  local space = { now = request.now, flows = ARGV[at], queues = ARGV[at + 1], index = ARGV[at + 2] }
  at = at + 3
  local batches = batchesOfNumbers()
  for i = 1, count do continueOne(reply, space, at + (i - 1) * 5, batches, stored) end
  return at + 5 * count
end

return Continuations
`,
  "bullmq/settle-and-take/dead-letters": `-- Keeps what could not be run among the dead letters of its queue, for inspection.
local call = redis.call
local Retained = require("parts/retained")
local DeadLetters = {
  -- Longest name that is kept, in bytes, and how many letters there is room for at least: a longer message is not kept with its letter.
  longestName = 1000, least = 2,
}

local function noteDropped(reply, queue, count)
  if count == 0 then return end
  local dropped = reply.dropped or {}
  reply.dropped = dropped
  dropped[#dropped + 1], dropped[#dropped + 2] = queue, count
end

-- What is kept of a job, read before it ends: its name, its message or "", and the length of one that is too long.
function DeadLetters.read(request, jobKey, keep)
  local name, length = call("HGET", jobKey, "name") or "", call("HSTRLEN", jobKey, "data")
  local fits = length <= math.min(request.longest, keep.letterBytes / DeadLetters.least)
  return { string.sub(name, 1, DeadLetters.longestName), keep.arguments and fits and call("HGET", jobKey, "data") or "", not fits and length }
end

-- \`job\`: what \`read\` has returned. \`keep\`: how the queue keeps what has ended, as the arguments say it.
function DeadLetters.keep(request, reply, own, id, reason, job, keep)
  local name, data, length = job[1], job[2], job[3]
  if keep.letters == 0 or keep.letterBytes == 0 then return noteDropped(reply, keep.queue, 1) end
  local kind, key, class = Retained.letters(own), own .. "dead-letter:" .. id, Retained.class(#data + #reason)
  local before = call("ZSCORE", kind.set, id)
  -- Of another letter under this id every field is written anew, so that none is lost when that is refused.
  if not before then call("DEL", key) elseif not length then call("HDEL", key, "length") end
  call("HSET", key, "id", id, "at", request.now, "reason", reason, "worker", request.worker, "name", name, "data", data)
  if length then call("HSET", key, "length", length) end
  call("ZADD", kind.set, Retained.score(request.now, class, true), id)
  local added = Retained.sizeOf(class) - (before and Retained.sizeOf(Retained.read(before)) or 0)
  noteDropped(reply, keep.queue, Retained.bound(kind, request.now, 1, added, keep.letters, keep.letterBytes))
end

return DeadLetters
`,
  "bullmq/settle-and-take/fail-message": `-- Writes that a message has failed, and tells BullMQ's tools. One that is to be kept among the dead letters is kept there first.
local call = redis.call

-- Longest reason in an event, in bytes: the whole is with the job.
local longestInEvent = 1000

local function clipped(reason)
  if #reason <= longestInEvent then return reason end
  return (string.gsub(string.sub(reason, 1, longestInEvent), "[\\192-\\255][\\128-\\191]*$", ""))
end

return function(request, reply, batch, id, place)
  local jobKey, events, keep = batch.prefix .. id, batch.events, batch.keep
  local reason, stack = ARGV[place + 2], ARGV[place + 3]
  if batch.action == "dead" then
    local DeadLetters = require("bullmq/settle-and-take/dead-letters")
    DeadLetters.keep(request, reply, batch.own, id, reason, DeadLetters.read(request, jobKey, keep), keep)
  end
  local event = call("XADD", events, "*", "event", "failed", "jobId", id, "failedReason", clipped(reason), "prev", "active")
  call("XADD", events, "*", "event", "retries-exhausted", "jobId", id, "attemptsMade", batch.finish)
  if batch.keepsNone then return end
  if stack == "" then
    call("HSET", jobKey, "atm", batch.finish, "failedReason", reason, "finishedOn", request.now, "event", event)
  else
    call("HSET", jobKey, "atm", batch.finish, "failedReason", reason, "finishedOn", request.now, "event", event, "stacktrace", stack)
  end
  batch.reasons = (batch.reasons or 0) + #reason + #stack
end
`,
  "bullmq/settle-and-take/move-back": `-- Moves jobs that are on loan to where they are taken from again, with BullMQ's own scripts.
local keysOf, wholly = require("parts/queue-keys"), require("parts/wholly")
local MoveBack = {}

-- To the delayed jobs. \`skip\`: "1" if that is no attempt. \`fields\`: what is noted on the job. \`ended\` is called along with it.
function MoveBack.delayed(request, prefix, id, token, pause, skip, fields, ended)
  return wholly(function(whole)
    local reply = require("moveToDelayed")(
      keysOf(prefix, "marker", "active", "prioritized", "delayed", id, "events", "meta", "stalled", "wait", "limiter", "pc"),
      { prefix, request.now, id, token, pause, skip, fields, "0" }, whole)
    if type(reply) == "number" and reply >= 0 then ended() end
    return reply
  end)
end

-- To those that wait, at the end that \`push\` says. \`ended\` is called along with it.
function MoveBack.waiting(request, prefix, id, token, push, fields, ended)
  return wholly(function(whole)
    local reply = require("retryJob")(
      keysOf(prefix, "active", "wait", "paused", id, "meta", "events", "delayed", "prioritized", "pc", "marker", "stalled"),
      { prefix, request.now, push, id, token, fields }, whole)
    if type(reply) == "number" and reply >= 0 then ended() end
    return reply
  end)
end

return MoveBack
`,
  "bullmq/settle-and-take/settle-batch": `--[[
  Finishes messages of ours in batches: every token is checked before anything is written. Each job is written where it goes before it is taken off the active list, and its lock goes
  last: if Redis refuses something in between, it stays on loan, and is settled once more. The first write deletes: a full Redis refuses a script's first write unless it does, never a
  later one.

  A batch is a group of settlements with the \`ids\` that passed the check, and for each of these its place in ARGV (\`places\`), its number (\`numbers\`), and its lock (\`freed\`).
]]
local call = redis.call
local Retained, Attempt = require("parts/retained"), require("parts/attempt")

-- Where a job goes that ends in this way.
local ends = { done = "completed", ["done-again"] = "completed", ["done-late"] = "completed", failed = "failed", dead = "failed" }

-- The batches that were checked, and the queues of these.
local checked, touched = {}, {}

-- Notes that settlement \`number\` went wrong: a negative code of BullMQ's, or an error text.
local function fail(reply, number, why)
  local wrong = reply.wrong
  wrong[#wrong + 1], wrong[#wrong + 2] = number, why
end

-- What is about to end is no longer among those whose lease may have run out. Where that set is a value of another type, nobody is in it.
local function unmark(prefix, ids)
  local reply = redis.pcall("SREM", prefix .. "stalled", unpack(ids))
  if type(reply) == "table" and not string.find(reply.err, "WRONGTYPE", 1, true) then error(reply, 0) end
end

-- The first write comes here, and harms nobody: a job that runs is marked again by the next scan.
local function noteChecked(batch)
  if #batch.ids == 0 then return end
  unmark(batch.prefix, batch.ids)
  checked[#checked + 1] = batch
end

local function accept(batch, id, place, number, lock)
  local n = #batch.ids + 1
  batch.ids[n], batch.places[n], batch.numbers[n], batch.freed[n] = id, place, number, lock
end

local function checkTokens(reply, batch)
  local prefix, at, width, count, number = batch.prefix, batch.at, batch.width, batch.count, batch.number
  local locks, seen = {}, {}
  for i = 1, count do locks[i] = prefix .. ARGV[at + (i - 1) * width] .. ":lock" end
  local held = call("MGET", unpack(locks))
  for i = 1, count do
    local place = at + (i - 1) * width
    local id = ARGV[place]
    if held[i] == ARGV[place + 1] and not seen[id] then
      accept(batch, id, place, number + i, locks[i])
      seen[id] = true
    else
      fail(reply, number + i, held[i] and -6 or -2)
    end
  end
end

-- Checks a group, and notes what passes as a batch.
local function check(reply, batch)
  if batch.action == "done-late" then require("bullmq/settle-and-take/check-late")(reply, batch, accept, fail) else checkTokens(reply, batch) end
  noteChecked(batch)
end

local function longestEvents(prefix)
  local length = call("HGET", prefix .. "meta", "opts.maxLenEvents")
  if length then return length end
  call("HSET", prefix .. "meta", "opts.maxLenEvents", 10000)
  return 10000
end

-- Takes the jobs off the active list. The oldest stand at its end, and most of those that end are the oldest.
local function takeOffActive(active, ids, leaving)
  local tail = call("LRANGE", active, -#ids, -1)
  local together = 0
  while together < #tail and leaving[tail[#tail - together]] do
    leaving[tail[#tail - together]] = nil
    together = together + 1
  end
  if together > 0 then call("LTRIM", active, 0, -(together + 1)) end
  if together == #ids then return end
  for id in pairs(leaving) do call("LREM", active, -1, id) end
end

local function finishOne(request, reply, batch, id, place)
  if batch.target == "failed" then return require("bullmq/settle-and-take/fail-message")(request, reply, batch, id, place) end
  local jobKey = batch.prefix .. id
  if not batch.keepsNone then
    call("HSET", jobKey, "atm", batch.finish, "returnvalue", "null", "finishedOn", request.now)
  end
  call("XADD", batch.events, "*", "event", "completed", "jobId", id, "returnvalue", "null", "prev", "active")
end

-- Notes what ended, with how much it takes. Returns that for one job, in bytes.
local function keepFinished(request, batch, kind, ids)
  local keep = batch.keep
  local class = Retained.class((keep.arguments and keep.each or 0) + (batch.reasons or 0) / #ids)
  local scored, score = {}, Retained.score(request.now - 1, class, true)
  for i, id in ipairs(ids) do scored[2 * i - 1], scored[2 * i] = score, id end
  call("ZADD", kind.set, unpack(scored))
  return Retained.sizeOf(class)
end

-- What a finished job no longer needs goes once it stands among the finished ones: what is refused before is settled once more, or taken again, with its message and its marks.
local function clear(batch, ids)
  local failed = batch.target == "failed"
  if batch.keepsNone or (batch.action == "done" and batch.keep.arguments) then return end
  local leftovers = { "startedDeliveries", "revoked", "terminate", "verdict", "unknownSince" }
  for _, id in ipairs(ids) do
    local jobKey = batch.prefix .. id
    if failed then call("HDEL", jobKey, "defa", not batch.keep.arguments and "data" or "startedDeliveries", unpack(leftovers))
    elseif batch.action == "done" then call("HDEL", jobKey, "data")
    else call("HDEL", jobKey, not batch.keep.arguments and "data" or "startedDeliveries", unpack(leftovers)) end
  end
end

-- What may fail for all of them comes before any leaves the active list.
local function finish(request, reply, batch)
  local prefix, keep = batch.prefix, batch.keep
  batch.events = prefix .. "events"
  call("XTRIM", batch.events, "MAXLEN", "~", longestEvents(prefix))
  batch.keepsNone = keep.most == 0 or keep.bytes == 0
  local ids, freed, leaving = {}, {}, {}
  for i, id in ipairs(batch.ids) do
    local trouble = Attempt.run(finishOne, request, reply, batch, id, batch.places[i])
    if trouble then
      fail(reply, batch.numbers[i], trouble)
    else
      ids[#ids + 1], leaving[id] = id, true
      local n, jobKey = #freed, prefix .. id
      freed[n + 1] = batch.freed[i]
      if batch.keepsNone then freed[n + 2], freed[n + 3] = jobKey, jobKey .. ":logs" end
    end
  end
  if #ids == 0 then return end
  local kind = Retained.finished(prefix, batch.own, batch.target)
  local size = not batch.keepsNone and keepFinished(request, batch, kind, ids)
  clear(batch, ids)
  takeOffActive(prefix .. "active", ids, leaving)
  batch.isOff = true
  call("DEL", unpack(freed))
  touched[prefix] = true
  if size then
    Retained.bound(kind, request.now, #ids, #ids * size, keep.most, keep.bytes)
  elseif call("EXISTS", kind.set) == 1 then
    -- What was kept before goes as well.
    Retained.bound(kind, request.now, 0, 0, keep.most, keep.bytes)
  end
end

-- Without what is left out; false if nothing stays.
local function reduced(batch)
  if not batch.out then return true end
  local all = { ids = batch.ids, places = batch.places, numbers = batch.numbers, freed = batch.freed }
  batch.ids, batch.places, batch.numbers, batch.freed = {}, {}, {}, {}
  for i, id in ipairs(all.ids) do
    if not batch.out[i] then accept(batch, id, all.places[i], all.numbers[i], all.freed[i]) end
  end
  return #batch.ids > 0
end

-- Finishes all that was checked and is not left out.
local function finishChecked(request, reply)
  for _, batch in ipairs(checked) do
    local trouble = reduced(batch) and Attempt.run(finish, request, reply, batch)
    if trouble and not batch.isOff then
      for _, number in ipairs(batch.numbers) do fail(reply, number, trouble) end
    end
  end
  for prefix in pairs(touched) do
    if call("EXISTS", prefix .. "wait", prefix .. "active", prefix .. "prioritized") == 0 then redis.pcall("XADD", prefix .. "events", "*", "event", "drained") end
  end
end

return { ends = ends, checked = checked, fail = fail, check = check, finishChecked = finishChecked }
`,
  "bullmq/settle-and-take/settle-external": `--[[
  Settles jobs of plain producers, with BullMQ's own scripts. What BullMQ's Worker decides in JavaScript before it calls them (whether and when a job is tried again) is decided here.
]]
local call = redis.call
local Attempt, PutBack, Retained = require("parts/attempt"), require("parts/put-back"), require("parts/retained")
local BoundedReads, MoveBack = require("bullmq/settle-and-take/bounded-reads"), require("bullmq/settle-and-take/move-back")
local keysOf, wholly = require("parts/queue-keys"), require("parts/wholly")
local SettleExternal = {}

-- What a job says of its parent and of what stands for it, as BullMQ's script reads it. A parent of which nobody can tell where it is, or only by reading very much, is none: the job could
-- never end.
local function kinOf(jobKey)
  local longest = BoundedReads.longestOptions
  local parentKey, parent = BoundedReads.field(jobKey, "parentKey", longest), BoundedReads.field(jobKey, "parent", longest)
  if parentKey and not string.find(parentKey, ":", 1, true) then parentKey = false end
  if parent then
    local place = BoundedReads.decoded(parent)
    if (type(place.id) ~= "string" and type(place.id) ~= "number") or type(place.queueKey) ~= "string" then parent = false end
  end
  return { parentKey, parent, BoundedReads.field(jobKey, "deid", longest) }
end

-- What stands for \`redis\` in a script that ends a job.
local function readingKin(redis)
  return setmetatable({
    call = function(command, ...)
      local key, field = ...
      if command == "HMGET" and field == "parentKey" then return kinOf(key) end
      return redis.call(command, ...)
    end,
  }, { __index = redis })
end

-- How many finished jobs its producer wants kept beside this one, with its age in s, as BullMQ has it; nothing if it does not say.
local function askedOf(options, target)
  local asked = options[target == "completed" and "removeOnComplete" or "removeOnFail"]
  if type(asked) == "boolean" then return { count = asked and 0 or -1 } end
  if type(asked) == "number" then return { count = asked } end
  return type(asked) == "table" and asked or nil
end

-- Notes how much a finished plain job takes, and removes what is beyond the bounds of its queue: its count is left to a producer that has one of its own.
local function boundFinished(request, group, id, target, values, asked)
  local prefix, keep, now = group.prefix, group.keep, request.now
  local kind, jobKey = Retained.finished(prefix, group.own, target), prefix .. id
  local score = call("ZSCORE", kind.set, id)
  if not score then return end
  if not keep.arguments or call("HSTRLEN", jobKey, "data") > request.longest then call("HDEL", jobKey, "data") end
  local class = Retained.class(call("HSTRLEN", jobKey, "data") + values)
  call("ZADD", kind.set, "XX", Retained.score(score, class, false), id)
  local most = keep.most
  if asked then
    local DropRetained = require("parts/drop-retained")
    local age, count = tonumber(asked.age), tonumber(asked.count) or -1
    most = count > 0 and count or math.huge
    if age then DropRetained.sweep(kind, now, string.format("%.0f", now - age * 1000 + 1), tonumber(asked.limit) or DropRetained.sweepAtOnce) end
  end
  Retained.bound(kind, now, 1, Retained.sizeOf(class), most, keep.bytes)
end

-- By BullMQ, with all that a plain job may ask for.
local function finish(request, group, id, token, target, value, stack)
  local prefix, keep = group.prefix, group.keep
  local given = BoundedReads.options(prefix .. id)
  local asked = askedOf(given, target)
  local keepsNone = asked and asked.count == 0 or not asked and (keep.most == 0 or keep.bytes == 0)
  -- Of the others BullMQ removes none by itself: it would not be counted.
  local options = {
    token = token, keepJobs = { count = keepsNone and 0 or -1 }, lockDuration = tonumber(request.lease), attempts = tonumber(given.attempts) or 0, maxMetricsSize = "",
  }
  local property = target == "completed" and "returnvalue" or "failedReason"
  local reply = wholly(function(whole)
    local outcome = require("moveToFinished")(
      keysOf(prefix, "wait", "active", "prioritized", "events", "stalled", "limiter", "delayed", "paused", "meta", "pc", target, id,
        "metrics:" .. target, "marker"),
      { id, request.now, property, value, target, "0", prefix, cmsgpack.pack(options),
        stack ~= "" and cmsgpack.pack({ property, value, "stacktrace", stack }) or nil }, readingKin(whole))
    if outcome == 0 then call("HDEL", prefix .. id, "startedDeliveries", "revoked", "terminate", "verdict", "unknownSince") end
    return outcome
  end)
  -- It has ended, whatever comes of the bounds.
  if reply == 0 then Attempt.run(boundFinished, request, group, id, target, #value + #stack, asked) end
  return reply
end

-- Between 0 and 1. A Redis before 7 begins every script with the same random numbers; the token is drawn anew at every take.
local function chanceOf(token)
  return tonumber(string.sub(redis.sha1hex(token), 1, 8), 16) / 0x100000000
end

-- How long to wait before attempt \`number\` + 1, in ms: -1 for never, nil for a strategy that only its producer has.
local function backoffOf(backoff, number, token)
  if not backoff or backoff == cjson.null then return 0 end
  if type(backoff) == "number" then return backoff end
  if type(backoff) ~= "table" then return nil end
  local delay, jitter = tonumber(backoff.delay) or 0, tonumber(backoff.jitter) or 0
  if backoff.type == "exponential" then delay = math.floor(2 ^ (number - 1) * delay + 0.5)
  elseif backoff.type ~= "fixed" then return nil end
  return jitter > 0 and math.floor(delay * (1 - jitter) + chanceOf(token) * delay * jitter) or delay
end

-- Longest list of stacks that is gone on with, in bytes: a longer one is begun anew.
local longestStacks = 262144

-- The stacks of all attempts as JSON: the last \`limit\` of them, if there is a limit.
local function stacksOf(earlier, stack, limit)
  local all, stacks = {}, {}
  for _, list in ipairs({ BoundedReads.decoded(earlier), BoundedReads.decoded(stack) }) do
    for _, one in ipairs(list) do
      if type(one) == "string" then all[#all + 1] = one end
    end
  end
  limit = tonumber(limit)
  for i = limit and math.max(#all - math.max(math.floor(limit), 0), 0) + 1 or 1, #all do stacks[#stacks + 1] = all[i] end
  if #stacks == 0 then return "[]" end
  -- Without the \\/ of cjson, which no other writer of this field uses.
  return (string.gsub(cjson.encode(stacks), "\\\\/", "/"))
end

-- Tries a job that failed again, at once or later, while it has attempts left.
local function fail(request, group, id, token, reason, stack, final)
  local prefix, jobKey = group.prefix, group.prefix .. id
  local options = BoundedReads.options(jobKey)
  local number = (tonumber(call("HGET", jobKey, "atm")) or 0) + 1
  local pause = -1
  if not final and number < (tonumber(options.attempts) or 0) then pause = backoffOf(options.backoff, number, token) end
  if not pause then
    pause = -1
    reason = reason .. " (not tried again: its backoff strategy is its producer's own, and unknown here)"
  end
  local stacks = stacksOf(BoundedReads.field(jobKey, "stacktrace", longestStacks), stack, options.stackTraceLimit)
  if pause == -1 then return finish(request, group, id, token, "failed", reason, stacks) end
  local fields = cmsgpack.pack({ "failedReason", reason, "stacktrace", stacks })
  local function ended() call("HDEL", jobKey, "startedDeliveries", "verdict") end
  if pause > 0 then return MoveBack.delayed(request, prefix, id, token, pause, "0", fields, ended) end
  return MoveBack.waiting(request, prefix, id, token, options.lifo == true and "RPUSH" or "LPUSH", fields, ended)
end

-- Fails a job that cannot have succeeded, with the error of BullMQ's Worker.
local function refuse(request, group, id, token, name, reason)
  return fail(request, group, id, token, reason, cjson.encode({ name .. ": " .. reason }), name == "UnrecoverableError")
end

-- Removes a count of attempts that is no number: BullMQ's scripts could not go on with it.
local function mendAttempts(jobKey)
  local count = call("HGET", jobKey, "atm")
  if count and not (#count < 16 and string.find(count, "^%d+$")) then call("HDEL", jobKey, "atm") end
end

local function complete(request, group, id, token, value)
  local reply = finish(request, group, id, token, "completed", value, "")
  -- A parent whose children are not done, or have failed, cannot have succeeded: it would be given out again and again.
  if reply == -4 then return refuse(request, group, id, token, "Error", "Job " .. id .. " has pending dependencies. moveToFinished") end
  if reply == -9 then
    local reason = "Cannot complete job " .. id .. " because it has at least one failed child. moveToFinished"
    return refuse(request, group, id, token, "UnrecoverableError", reason)
  end
  return reply
end

-- Ends one run of a plain job, as the action of its group says: external-completed or external-failed; external-unrecoverable or external-dead, which is failed for good whatever its attempts.
function SettleExternal.job(request, reply, group, id, token, value, stack)
  local action, jobKey = group.action, group.prefix .. id
  -- Kept among the dead letters first: what is not kept is not settled.
  if action == "external-dead" and call("GET", jobKey .. ":lock") == token then
    local DeadLetters = require("bullmq/settle-and-take/dead-letters")
    DeadLetters.keep(request, reply, group.own, id, value, DeadLetters.read(request, jobKey, group.keep), group.keep)
  end
  mendAttempts(jobKey)
  if action == "external-completed" then return complete(request, group, id, token, value) end
  -- The message of BullMQ's RateLimitError: it is no failure.
  if value == "bullmq:rateLimitExceeded" then return PutBack.job(group.prefix, id, token) end
  return fail(request, group, id, token, value, stack, action ~= "external-failed")
end

return SettleExternal
`,
  "bullmq/settle-and-take/settle-groups": `-- Reads the settlements of a call, in groups of those that are alike, and settles each group in its way: in batches, or one by one.
local SettleBatch = require("bullmq/settle-and-take/settle-batch")
local Attempt = require("parts/attempt")

-- How many arguments a settlement has; four for actions that are not here.
local widths = { done = 2, ["done-again"] = 2, ["done-late"] = 3, requeued = 2, crashed = 2 }

-- Groups that are settled one by one.
local singles = {}

-- How what ends is kept, which stands in ARGV from \`at\` on, and where it ends.
local function keepFrom(at, action, queue)
  if not SettleBatch.ends[action] and string.sub(action, 1, 9) ~= "external-" then return nil, at end
  local keep = { queue = queue, values = tonumber(ARGV[at]), most = tonumber(ARGV[at + 1]), bytes = tonumber(ARGV[at + 2]), arguments = ARGV[at + 3] == "1" }
  if action ~= "dead" and action ~= "external-dead" then return keep, at + 4 end
  keep.letters, keep.letterBytes = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  return keep, at + 6
end

-- Checks the \`groups\` groups that stand in ARGV from \`at\` on. Returns where they end.
local function check(request, reply, at, groups)
  local number = 0
  for _ = 1, groups do
    local queue, action, count = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 3])
    local keep, first = keepFrom(at + 4, action, queue)
    local group = {
      prefix = KEYS[2 * queue - 1], own = KEYS[2 * queue], action = action, finish = ARGV[at + 2], keep = keep, at = first, count = count, number = number,
      width = widths[action] or 4, target = SettleBatch.ends[action], ids = {}, places = {}, numbers = {}, freed = {}, events = "", keepsNone = false,
    }
    if group.target then
      group.keep.each = group.keep.values / count
      local trouble = Attempt.run(SettleBatch.check, reply, group)
      if trouble then
        for i = 1, count do SettleBatch.fail(reply, number + i, trouble) end
      end
    else
      singles[#singles + 1] = group
    end
    at = group.at + group.width * count
    number = number + count
  end
  return at
end

-- Carries out what was checked, and settles the others. Returns the error of a replica, if one has refused.
local function finish(request, reply)
  SettleBatch.finishChecked(request, reply)
  for _, group in ipairs(singles) do require("bullmq/settle-and-take/settle-single").group(request, reply, group) end
  for i = 2, #reply.wrong, 2 do
    if Attempt.isForPrimary(reply.wrong[i]) then return reply.wrong[i] end
  end
  return nil
end

return { check = check, finish = finish }
`,
  "bullmq/settle-and-take/settle-single": `-- Settles jobs one by one, with BullMQ's own scripts: those that are put back, and those of plain producers, which may ask for anything.
local call = redis.call
local Attempt, PutBack, StartedDeliveries = require("parts/attempt"), require("parts/put-back"), require("parts/started-deliveries")
local SettleBatch, MoveBack = require("bullmq/settle-and-take/settle-batch"), require("bullmq/settle-and-take/move-back")
local SettleSingle = {}

-- Notes that the delivery has ended that has a job on loan.
local function endedOf(jobKey)
  return function() StartedDeliveries.remove(jobKey, call("HGET", jobKey, "ats")) end
end

-- Sends the next attempt of one of our messages, in the place of this one.
local function retry(request, prefix, id, token, message, due)
  local fields, pause = cmsgpack.pack({ "data", message }), tonumber(due) - tonumber(request.now)
  if pause > 0 then return MoveBack.delayed(request, prefix, id, token, pause, "0", fields, endedOf(prefix .. id)) end
  return MoveBack.waiting(request, prefix, id, token, "LPUSH", fields, endedOf(prefix .. id))
end

-- Puts a message back for later: neither a crash nor an attempt. \`since\`: since when workers have put it back that do not know it, or "".
local function postpone(request, prefix, id, token, since, due)
  local pause, fields = math.max(tonumber(due) - tonumber(request.now), 0), since ~= "" and cmsgpack.pack({ "unknownSince", since }) or ""
  return MoveBack.delayed(request, prefix, id, token, pause, "1", fields, endedOf(prefix .. id))
end

-- Puts a plain job back for later that is not for this worker. However often that happens, one start is counted, of which there may be a limit; it is taken under the same number again.
local function leaveToOthers(request, prefix, id, token, since, due)
  local reply = postpone(request, prefix, id, token, since, due)
  if type(reply) == "number" and reply >= 0 and tonumber(call("HGET", prefix .. id, "ats")) > 1 then call("HINCRBY", prefix .. id, "ats", -1) end
  return reply
end

local function settle(request, reply, group, id, token, value, stack)
  local action, prefix = group.action, group.prefix
  if action == "requeued" then return PutBack.job(prefix, id, token) end
  if action == "crashed" then return PutBack.crashed(prefix, id, token) end
  if action == "retried" then return retry(request, prefix, id, token, value, stack) end
  if action == "postponed" then return postpone(request, prefix, id, token, value, stack) end
  if action == "left" then return leaveToOthers(request, prefix, id, token, value, stack) end
  return require("bullmq/settle-and-take/settle-external").job(request, reply, group, id, token, value, stack)
end

-- Settles a group of settlements one by one.
function SettleSingle.group(request, reply, group)
  for i = 1, group.count do
    local place = group.at + (i - 1) * group.width
    local outcome = Attempt.run(settle, request, reply, group, ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3])
    if type(outcome) ~= "number" or outcome < 0 then SettleBatch.fail(reply, group.number + i, outcome) end
  end
end

return SettleSingle
`,
  "bullmq/settle-and-take/take": `--[[
  Takes messages from the queues in their turn, if there is a reason to look into any of them. Most calls of an idle worker end here.

  A queue whose keys somebody has spoilt yields nothing, and costs the others nothing.
]]
local call = redis.call

-- A marker of score 0 says that there is a job, one of a later time that a delayed job is due then. BullMQ sets none while as many run at once
-- as may: there, each end is a reason to look.
local function isMarked(now, prefix)
  local marker = call("ZRANGE", prefix .. "marker", 0, 0, "WITHSCORES")
  return marker[2] and tonumber(marker[2]) <= tonumber(now) or call("HEXISTS", prefix .. "meta", "concurrency") == 1
end

-- Takes what is wanted, from the queues in the turns that ARGV has from \`at\` on.
local function all(request, reply, at)
  local turns, isOpen = {}, {}
  for i = at, #ARGV do
    local turn = tonumber(ARGV[i])
    local queue = math.abs(turn)
    if isOpen[queue] == nil then
      local ok, answer = turn > 0, true
      if not ok then ok, answer = pcall(isMarked, request.now, KEYS[2 * queue - 1]) end
      if not ok then require("bullmq/settle-and-take/take-batch").noteFault(reply, queue, answer.err or tostring(answer), 0) end
      isOpen[queue] = ok and answer or false
    end
    if isOpen[queue] then turns[#turns + 1] = queue end
  end
  if #turns > 0 then require("bullmq/settle-and-take/take-queues").all(request, reply, turns) end
end

return { all = all }
`,
  "bullmq/settle-and-take/take-batch": `-- Takes the plain jobs that were reserved, and gives each its lease.
local call = redis.call

-- Longest name, and longest reason of a revocation, in a delivery, in bytes: nobody believes longer ones.
local longestText = 4096

local function give(reply, queue, id, name, data, priority, times, ended, token, revoked, crashes)
  local given = reply.given
  local n = #given
  if name and #name > longestText then name = string.sub(name, 1, longestText) end
  if type(revoked) == "string" and #revoked > longestText then revoked = string.sub(revoked, 1, longestText) end
  given[n + 1], given[n + 2], given[n + 3], given[n + 4], given[n + 5] = queue, id, name, data, priority
  given[n + 6], given[n + 7], given[n + 8], given[n + 9], given[n + 10] = times, ended, token, revoked, crashes
end

-- Pops what was reserved from one queue, in one go, as RPOPLPUSH would, one by one. It is written where it goes before it is deleted where it was. The first LTRIM deletes nothing: it
-- asks whether that is allowed, and a full Redis, which refuses a script's first write unless that deletes, lets the others pass.
local function pop(view)
  local prefix, count = view.prefix, view.count
  local ids = call("LRANGE", prefix .. "wait", -count, -1)
  local order = {}
  for i = count, 1, -1 do order[#order + 1] = ids[i] end
  call("LTRIM", prefix .. "wait", 0, -1)
  call("LPUSH", prefix .. "active", unpack(order))
  call("LTRIM", prefix .. "wait", 0, -(count + 1))
  view.ids, view.next, view.events = order, 0, prefix .. "events"
  if call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0 then call("ZADD", prefix .. "marker", 0, "0") end
end

-- What is known of a job that was taken before, besides why it was revoked; false for most.
local function marksOf(verdict, unknownSince)
  return (verdict or unknownSince) and { verdict or false, unknownSince or false } or false
end

-- Gives the next job of those that were popped its lease.
local function beginOne(request, reply, view, token)
  view.next = view.next + 1
  local id, prefix, longest = view.ids[view.next], view.prefix, request.longest
  local jobKey = prefix .. id
  local length = call("HSTRLEN", jobKey, "data")
  local job = call("HMGET", jobKey, "name", length <= longest and "data" or "", "priority", "ats", "atm", "revoked")
  if length > longest then job[2] = length end
  local times, revoked, crashes = (tonumber(job[4]) or 0) + 1, job[6], 0
  if times > 1 then
    local before = call("HMGET", jobKey, "startedDeliveries", "verdict", "unknownSince")
    revoked = revoked or marksOf(before[2], before[3])
    crashes = require("parts/started-deliveries").crashes(times, before[1], job[5])
  end
  call("SET", jobKey .. ":lock", request.tokens .. ":" .. token, "PX", request.lease)
  call("XADD", view.events, "*", "event", "active", "jobId", id, "prev", "waiting")
  call("HSET", jobKey, "processedOn", request.now, "pb", request.worker, "ats", times)
  give(reply, view.queue, id, job[1], job[2], job[3], times, tonumber(job[5]) or 0, token, revoked, crashes)
end

-- Notes that a queue could not be looked into or taken from, or that messages were taken that could not begin: why, or false, and how many stay on its active list until somebody looks for
-- lost ones.
local function noteFault(reply, queue, why, staying)
  local faults, n = reply.faults or {}, 1
  reply.faults = faults
  while faults[n] and faults[n] ~= queue do n = n + 3 end
  faults[n], faults[n + 1], faults[n + 2] = queue, faults[n + 1] or why, (faults[n + 2] or 0) + staying
end

-- What could not begin: a job goes back to where it was. Of what is no job nothing is lost, and the scan for lost jobs takes it off the active list; so it does with what cannot go back.
local function takeBack(reply, view, why)
  local noteFault = noteFault
  local prefix, id = view.prefix, view.ids[view.next]
  local length = redis.pcall("HSTRLEN", prefix .. id, "data")
  if type(length) == "table" and string.find(length.err, "WRONGTYPE", 1, true) then return noteFault(reply, view.queue, false, 1) end
  local isBack = type(redis.pcall("RPUSH", prefix .. "wait", id)) == "number" and type(redis.pcall("LREM", prefix .. "active", 1, id)) == "number"
  redis.pcall("DEL", prefix .. id .. ":lock")
  noteFault(reply, view.queue, why, isBack and 0 or 1)
end

-- Begins what is in the slots: jobs that BullMQ's scripts have taken, and the popped jobs of views.
local function begin(request, reply, slots)
  for token, slot in ipairs(slots) do
    if slot.id then
      local crashes = require("parts/started-deliveries").crashes(slot.times, slot.started, slot.ended)
      give(reply, slot.queue, slot.id, slot.name, slot.data, slot.priority, slot.times, slot.ended, token, slot.revoked, crashes)
    elseif slot.ids then
      local ok, trouble = pcall(beginOne, request, reply, slot, token)
      if not ok then takeBack(reply, slot, type(trouble) == "table" and trouble.err or tostring(trouble)) end
    end
  end
end

return { pop = pop, marksOf = marksOf, noteFault = noteFault, begin = begin }
`,
  "bullmq/settle-and-take/take-queues": `-- Takes from queues in their turn: plain messages are reserved first, then popped from each queue in one go, then given their leases.
local call = redis.call

-- How much longer than BullMQ's Workers we wait for what workers of ours did not know when they had it, in ms: it may be meant for those, and they promote whatever is due.
local headStart = 200

-- When the first delayed job of a queue is due for us, ms; nil without any.
local function dueIn(prefix, delayed)
  if not delayed[2] then return nil end
  local due = tonumber(delayed[2]) / 0x1000
  -- What is no job is due: BullMQ's scripts clear it away.
  return redis.pcall("HEXISTS", prefix .. delayed[1], "unknownSince") == 1 and due + headStart or due
end

-- What a queue has for us: a supply of plain jobs, or only jobs that BullMQ's scripts can take.
local function viewOf(request, queue)
  local prefix = KEYS[2 * queue - 1]
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency", "max")
  local delayed = call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")
  -- BullMQ promotes none of a time before 1970: it would be looked for without end.
  if delayed[2] and tonumber(delayed[2]) < 0 then call("ZADD", prefix .. "delayed", 0, delayed[1]) end
  local tooLate = tonumber(request.now) + 1
  local isDue = delayed[2] and tonumber(delayed[2]) < tooLate * 0x1000 and dueIn(prefix, delayed) < tooLate
  local unusual = meta[1] or meta[2] or meta[3] or isDue
  return {
    queue = queue, prefix = prefix, unusual = unusual, delayed = delayed, supply = unusual and 0 or call("LLEN", prefix .. "wait"), count = 0,
    popped = false, closed = false,
  }
end

-- A queue of plain jobs has been emptied, and its marker and its delayed jobs are as they were: most queues are, most of the time.
local function closeEmptied(request, reply, view)
  call("ZREMRANGEBYSCORE", view.prefix .. "marker", 0, request.now)
  reply.dry[#reply.dry + 1] = { view.queue, 0, dueIn(view.prefix, view.delayed) or 0, 0 }
end

local function popOnce(view)
  if view.popped then return end
  view.popped = true
  if view.count > 0 then require("bullmq/settle-and-take/take-batch").pop(view) end
end

-- Reserves the next job of a queue for a slot, or takes it with BullMQ's scripts; false when it has none.
local function reserve(request, reply, view, slots)
  if view.count < view.supply then
    view.count = view.count + 1
    slots[#slots + 1] = view
    return true
  end
  popOnce(view)
  if not view.unusual and call("EXISTS", view.prefix .. "prioritized") == 0 then
    view.closed = true
    closeEmptied(request, reply, view)
    return false
  end
  local TakeSingle = require("bullmq/settle-and-take/take-single")
  local delivery, limited = TakeSingle.next(request, view.queue, view.prefix, request.tokens .. ":" .. (#slots + 1))
  if delivery then
    slots[#slots + 1] = delivery
    return true
  end
  view.closed = true
  TakeSingle.close(request, reply, view, limited, dueIn)
  return false
end

-- What \`f\` returns; nil if it fails, which is noted of the queue.
local function noting(reply, queue, f, ...)
  local ok, given = pcall(f, ...)
  if ok then return given end
  require("bullmq/settle-and-take/take-batch").noteFault(reply, queue, type(given) == "table" and given.err or tostring(given), 0)
  return nil
end

local function reserveAll(request, reply, turns, slots)
  local oneEach, wanted = ARGV[6] == "turns", request.wanted
  local open = true
  while open and #slots < wanted do
    open = false
    for _, view in ipairs(turns) do
      while #slots < wanted and not view.closed do
        local reserved = noting(reply, view.queue, reserve, request, reply, view, slots)
        if reserved == nil then view.closed = true end
        if not reserved then break end
        open = true
        if oneEach then break end
      end
    end
  end
end

-- Takes what is wanted, from the queues whose numbers are in \`turns\`, in that order.
local function all(request, reply, turns)
  local slots, views, open = {}, {}, {}
  for _, queue in ipairs(turns) do
    if views[queue] == nil then views[queue] = noting(reply, queue, viewOf, request, queue) or false end
    open[#open + 1] = views[queue] or nil
  end
  reserveAll(request, reply, open, slots)
  for _, view in pairs(views) do
    if view and not view.popped then noting(reply, view.queue, popOnce, view) end
  end
  if #slots > 0 then require("bullmq/settle-and-take/take-batch").begin(request, reply, slots) end
end

return { all = all }
`,
  "bullmq/settle-and-take/take-single": `-- Takes a job with BullMQ's own script, from a queue that is paused, limited or prioritised, or has due jobs.
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

-- What stands for \`redis\` in a script that takes: no message that is too long is read.
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

-- Notes that nothing more can be taken from a queue. \`limited\`: what is left of its rate limit, ms. \`dueIn\`: says when a delayed job is due.
function TakeSingle.close(request, reply, view, limited, dueIn)
  local prefix = view.prefix
  local waiting = call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0
  if not waiting then call("ZREMRANGEBYSCORE", prefix .. "marker", 0, request.now) end
  local due = dueIn(prefix, call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")) or 0
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency")
  reply.dry[#reply.dry + 1] = { view.queue, limited, due, not meta[1] and (waiting or meta[2]) and 1 or 0 }
end

return TakeSingle
`,
  "parts/ask": `-- Runs a command and returns its reply; nil if its key holds a value of another type, which counts as missing. Other errors pass; some releases do not name the command that they refuse.
return function(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if string.find(reply.err, "WRONGTYPE", 1, true) then return nil end
  if string.find(reply.err, "can't run this command", 1, true) then
    error({ err = "NOPERM no permissions to run the '" .. string.lower(command) .. "' command in a script" }, 0)
  end
  error(reply, 0)
end
`,
  "parts/attempt": `-- Runs functions that may fail, and tells their errors apart.

-- The text of an error that pcall has caught.
local function textOf(trouble)
  return type(trouble) == "table" and trouble.err or tostring(trouble)
end

-- What \`f\` returns, or the text of its error.
local function run(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  return textOf(reply)
end

-- Whether an error says that a key holds a value of another type.
local function isWrongType(trouble)
  return string.find(textOf(trouble), "WRONGTYPE", 1, true) ~= nil
end

-- Whether a replica refused: it wrote nothing, so the whole call is for the primary.
local function isForPrimary(reply)
  return type(reply) == "string" and string.find(reply, "READONLY", 1, true) ~= nil
end

return { textOf = textOf, run = run, isWrongType = isWrongType, isForPrimary = isForPrimary }
`,
  "parts/count-retained": `-- Counts how much is kept of messages that have ended. For the kinds see parts/retained.
local call = redis.call
local ask, Retained = require("parts/ask"), require("parts/retained")
local CountRetained = {
  -- Time between two counts of a set, ms.
  every = 60000,
  -- How many members are looked at: of a larger set so many in each of \`windows\` places, and the others are taken to be like them. So many sets are counted in one call as have as many.
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
`,
  "parts/drop-retained": `-- Removes what is kept of messages that have ended, the oldest first. For the kinds see parts/retained.
local call = redis.call
local Retained = require("parts/retained")

-- Most that one call removes, unless twice as much has ended; most that one look for age removes in a set.
local atOnce, sweepAtOnce = 1000, 500

-- Time between two counts of a set that takes too much, ms, unless it has few members beside those that were added.
local recountEvery, few = 5000, 100

-- Removes the oldest \`count\` members of a kind, and their keys. \`isEnough\`: may say of how many went so far, and their bytes, that they are enough. What a parent waits for stays, and
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

-- Removes what ended before \`oldest\`, ms, at most \`most\`. Returns how many went, and how many were due.
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
`,
  "parts/named-queues": `-- The queues in which messages are looked for: those that are named, and all others to which any was ever sent.
local call = redis.call
local NamedQueues = {}

-- The queues of the set \`key\` that are not among \`named\`. A user who may not read the set looks into the named ones alone.
function NamedQueues.others(key, named)
  local isNamed, others = {}, {}
  for _, queue in ipairs(named) do isNamed[queue] = true end
  for _, queue in ipairs(redis.pcall("SMEMBERS", key)) do
    if not isNamed[queue] then others[#others + 1] = queue end
  end
  return others
end

-- For how many tasks so many queues are looked into in one call, so that none holds Redis for long.
function NamedQueues.mostSought(queues) return math.max(1, math.floor(50000 / math.max(1, #queues))) end

-- Whether a queue has a job for any of the ids from \`first\` to \`last\` in \`ids\`: most queues have none of them, and then this is all that they cost.
function NamedQueues.hasAny(prefix, ids, first, last)
  for from = first, last, 1000 do
    local keys = {}
    for i = from, math.min(from + 999, last) do keys[#keys + 1] = prefix .. ids[i] end
    if call("EXISTS", unpack(keys)) > 0 then return true end
  end
  return false
end

return NamedQueues
`,
  "parts/put-back": `-- Puts jobs that are on loan back into their queues.
local call = redis.call
local PutBack = {}

-- Puts a job back, and leaves the delivery among those that have started: it counts as a crash.
function PutBack.crashed(prefix, id, token)
  return PutBack.job(prefix, id, token, true)
end

-- Puts a job back. Unless \`isCrash\`, its delivery has ended.
function PutBack.job(prefix, id, token, isCrash)
  local keysOf = require("parts/queue-keys")
  return require("parts/wholly")(function(whole)
    local reply = require("moveJobFromActiveToWait")(
      keysOf(prefix, "active", "wait", "stalled", "paused", "meta", "limiter", "prioritized", "marker", "events"),
      { id, token, prefix .. id }, whole)
    if reply < 0 then return reply end
    if not isCrash then require("parts/started-deliveries").remove(prefix .. id, call("HGET", prefix .. id, "ats")) end
    -- BullMQ sets the marker only for a job without priority.
    if call("HEXISTS", prefix .. "meta", "paused") == 0 then call("ZADD", prefix .. "marker", 0, "0") end
    return reply
  end)
end

return PutBack
`,
  "parts/queue-keys": `-- Keys of a queue by their suffixes, in the order of these.
return function(prefix, ...)
  local keys = { ... }
  for i, suffix in ipairs(keys) do keys[i] = prefix .. suffix end
  return keys
end
`,
  "parts/record-state": `-- Reads the state of a record without reading the whole.
local RecordState = { terminal = { SUCCESS = true, FAILURE = true, REVOKED = true } }

-- State of the record under a key, and the delivery that stored or claimed it. Nothing when there is no record, or something else in its place.
function RecordState.of(key)
  local head = redis.pcall("GETRANGE", key, 0, 120)
  if type(head) ~= "string" then return nil end
  local state, delivery = string.match(head, '^{"state":"([^"]*)","delivery":(%d+)')
  return state, tonumber(delivery)
end

return RecordState
`,
  "parts/retained": `--[[
  What is kept of messages that have ended: the finished jobs of a queue, completed or failed, and its dead letters. It is bounded by count and bytes when something is added.

  Each kind is a sorted set. The whole part of a score is a time, as BullMQ has it; the fraction says how much memory a member takes: half a millisecond, if it is one of ours, and a class
  of size in steps of 1/2048. So the size of what is removed is known without reading it, whoever removes it. A hash, \`<own>retained\`, has the sum of each set. It is counted anew now and
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

-- The score of what ended at \`at\`, ms.
local function score(at, class, isOurs)
  return string.format("%.11f", math.floor(at) + (isOurs and 0.5 or 0) + class / 2048)
end

-- The class that a score says, and whether it is one of ours. An endless score, which only somebody hostile writes, says nothing.
local function read(score)
  local fraction = tonumber(score) % 1
  if fraction ~= fraction then return 0, false end
  return math.floor(fraction % 0.5 * 2048 + 0.5), fraction >= 0.5
end

-- The finished jobs of a queue, \`target\` "completed" or "failed": the set, the field of \`retained\`, and what their keys start with.
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

-- Adds \`bytes\` to the sum of a kind, less than 0 for what has gone. Returns the sum.
local function count(kind, bytes)
  local sum = onCounts("HINCRBY", kind.own .. "retained", kind.field, bytes)
  if sum >= 0 then return sum end
  call("HSET", kind.own .. "retained", kind.field, 0)
  return 0
end

-- After \`added\` members of \`bytes\` in all came to a set, removes what is beyond its bounds, \`most\` and \`mostBytes\`. Returns how many went.
local function bound(kind, now, added, bytes, most, mostBytes)
  local sum, length = count(kind, bytes), call("ZCARD", kind.set)
  local excess = math.max(length - most, 0)
  if excess == 0 and sum <= mostBytes then return 0 end
  return require("parts/drop-retained").beyond(kind, now, { added = added, length = length, sum = sum, excess = excess, mostBytes = mostBytes })
end

return {
  class = class, sizeOf = sizeOf, score = score, read = read, finished = finished, letters = letters, onCounts = onCounts, count = count, bound = bound,
}
`,
  "parts/retained-keys": `-- The keys of what is kept of messages that have ended, and what must not be removed. For the kinds see parts/retained.
local call = redis.call

-- What stands for \`redis\` in a script of BullMQ's that writes no events: it writes none of jobs that are beyond a bound either.
local function withoutEvents()
  return setmetatable({
    call = function(command, ...)
      if command == "XADD" then return "0-0" end
      return call(command, ...)
    end,
  }, { __index = redis })
end

-- Adds to \`gone\` the keys of a member. A finished job that is not ours is removed by BullMQ.
local function add(kind, gone, id, isOurs)
  local n, prefix = #gone, kind.prefix
  if not prefix then
    gone[n + 1] = kind.own .. "dead-letter:" .. id
    return
  end
  gone[n + 1], gone[n + 2] = prefix .. id, prefix .. id .. ":logs"
  if isOurs then return end
  for _, of in ipairs({ ":dependencies", ":processed", ":failed", ":unsuccessful" }) do gone[#gone + 1] = prefix .. id .. of end
  -- First, while its parent can be told; it keeps the last job of a scheduler, and that goes too.
  -- What has ended by itself leaves alone how long a producer wants no duplicates of it.
  call("HDEL", prefix .. id, "deid")
  require("removeJob")({ prefix .. id, prefix .. "repeat" }, { id, "0", prefix }, withoutEvents())
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

-- What \`f\` returns; nil if a key of a job's parent holds a value of another type, or is none that this user may touch: such a job must not keep all others.
local function unlessSpoilt(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  local why = require("parts/attempt").textOf(reply)
  if string.find(why, "WRONGTYPE", 1, true) or string.find(why, "access a key", 1, true) or string.find(why, "of the keys", 1, true) then return nil end
  error(reply, 0)
end

-- What becomes of a member that is to go: "awaited" if a parent waits for it, else its keys are added to \`gone\`.
local function release(kind, gone, id, isOurs)
  if isNoJob(kind.prefix, id, isOurs) then return "gone" end
  if not isOurs and unlessSpoilt(isAwaited, kind.prefix, id) then return "awaited" end
  -- Its own keys are noted first.
  unlessSpoilt(add, kind, gone, id, isOurs)
  return "gone"
end

return { add = add, release = release }
`,
  "parts/started-deliveries": `--[[
  Which deliveries of a job have started to run and not ended: the field \`startedDeliveries\` holds their numbers, each between spaces. Without the field that is the first
  one, which nobody counts, or none if the job has ended before. Each may be noted twice: a reply may be lost.
]]
local call = redis.call

-- Longest list that is read, in bytes: of so many crashes nobody counts the rest.
local longest = 4096

local function listOf(started, ended)
  return started and string.sub(started, 1, longest) or ((tonumber(ended) or 0) > 0 and " " or " 1 ")
end

local function read(jobKey)
  return listOf(unpack(call("HMGET", jobKey, "startedDeliveries", "atm")))
end

-- Notes that delivery \`number\` starts to run.
local function add(jobKey, number)
  local started = read(jobKey)
  if not string.find(started, " " .. number .. " ", 1, true) then call("HSET", jobKey, "startedDeliveries", started .. number .. " ") end
end

-- Notes that delivery \`number\` has ended where it ran, and is no crash.
local function remove(jobKey, number)
  local remaining, count = string.gsub(read(jobKey), " " .. number .. " ", " ")
  if count > 0 then call("HSET", jobKey, "startedDeliveries", remaining) end
end

-- How many have started and not ended when a job is taken for the nth time: its crashes.
local function crashes(times, started, ended)
  if times <= 1 then return 0 end
  local _, count = string.gsub(listOf(started, ended), "%d+", "")
  return count
end

return { add = add, remove = remove, crashes = crashes }
`,
  "parts/store-records": `--[[
  Stores task records and tells those who wait. The first terminal state wins. A delivery lower than the claimed one is refused, unless it succeeded: then the work is done.

  Reads groups of records from ARGV, each with a head of three arguments
    channel to notify, or ""
    time to live, ms
    how many records follow
  and then for each record
    id of the task
    delivery number
    the record: JSON that starts with {"state":"…","delivery":n
]]
local call = redis.call

local success = '{"state":"SUCCESS"'

-- 0 stored, 1 superseded (the task has a terminal state), 2 fenced (a later delivery has claimed it)
local function storeRecord(key, delivery, ttl, record)
  if call("SET", key, record, "PX", ttl, "NX") then return 0 end
  local RecordState = require("parts/record-state")
  local state, claimed = RecordState.of(key)
  if RecordState.terminal[state] then return 1 end
  if claimed and claimed > tonumber(delivery) and string.sub(record, 1, #success) ~= success then return 2 end
  call("SET", key, record, "PX", ttl)
  return 0
end

-- Stores the groups from ARGV[at] on, under keys that start with \`prefix\`. One notification a group: a line for each stored record, the id and behind it the record unless it is
-- longer than \`largest\` bytes. Returns a reply for each record, and where the groups end.
local function groups(at, groups, prefix, largest)
  local replies = {}
  for _ = 1, groups do
    local channel, ttl, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
    local lines = {}
    at = at + 3
    for _ = 1, count do
      local id, record = ARGV[at], ARGV[at + 2]
      local reply = storeRecord(prefix .. id, ARGV[at + 1], ttl, record)
      replies[#replies + 1] = reply
      if reply == 0 then
        local n = #lines
        lines[n + 1], lines[n + 2], lines[n + 3] = id, #record <= largest and record or "", "\\n"
      end
      at = at + 3
    end
    if channel ~= "" and #lines > 0 then call("PUBLISH", channel, table.concat(lines, "", 1, #lines - 1)) end
  end
  return replies, at
end

return { groups = groups }
`,
  "parts/wholly": `--[[
  Runs scripts of BullMQ whole or not at all. They delete where a job was before they write where it goes: if Redis refused something in between, the job would be in no list. So
  what deletes is put off until all else is written, and when something is refused, what was written is taken back.

  What is put off answers as if it were done, and asks Redis at once, for something that is not there, whether the user may delete. That changes nothing; as the first write of a
  script it has a full Redis let the later ones pass, as BullMQ's own first write does.

  \`body\` is called with what stands for \`redis\` in the scripts that it calls. Returns what it returns; an error passes.
]]
return function(body)
  local call = redis.call
  -- What takes back each write; by key what is put off, and how many members of it; the keys in their order.
  local undo, off, gone, keys = {}, {}, {}, {}
  -- The command that runs: a refusal of some releases does not name it.
  local running

  local function putOff(isPlace, count, command, key, ...)
    if not off[key] then
      off[key] = { isPlace = isPlace }
      keys[#keys + 1] = key
    end
    local list = off[key]
    list[#list + 1] = { command, key, ... }
    gone[key] = (gone[key] or 0) + count
  end

  -- Whether a member is to be removed already: who asks again finds it gone.
  local function isOff(key, member)
    for _, one in ipairs(off[key] or {}) do
      if one[3] == member then return true end
    end
    return false
  end

  -- What was written before is not taken back any more.
  local function deleteNow(key)
    local list = off[key]
    off[key], gone[key] = nil, nil
    for _, one in ipairs(list) do
      call(unpack(one))
      undo = {}
    end
  end

  local deletes = {
    LREM = function(key, count, member)
      call("LREM", key .. ":", count, member)
      if not call("LPOS", key, member) then return 0 end
      putOff(true, 1, "LREM", key, count, member)
      return 1
    end,
    ZREM = function(key, ...)
      call("ZREM", key, "")
      local count = select("#", ...)
      if count == 1 and (isOff(key, ...) or not call("ZSCORE", key, ...)) then return 0 end
      putOff(true, count, "ZREM", key, ...)
      return count
    end,
    ZPOPMIN = function(key)
      call("ZREM", key, "")
      local first = call("ZRANGE", key, 0, 0, "WITHSCORES")
      if first[1] then putOff(true, 1, "ZREM", key, first[1]) end
      return first
    end,
    SREM = function(key, member)
      call("SREM", key, "")
      if isOff(key, member) or call("SISMEMBER", key, member) == 0 then return 0 end
      putOff(false, 1, "SREM", key, member)
      return 1
    end,
    DEL = function(...)
      call("DEL", (...) .. ":")
      for _, key in ipairs({ ... }) do putOff(false, 0, "DEL", key) end
      return call("EXISTS", ...)
    end,
  }
  local counts, makes = { LLEN = true, SCARD = true, ZCARD = true }, { HMSET = true, HSET = true, SET = true }

  -- How a write is taken back; nil if it need not be.
  local function undoOf(command, isNew, before, reply, key, first, second)
    if isNew then
      return function()
        -- Whoever may not delete says so: then the next to add it does.
        if type(redis.pcall("DEL", key)) == "table" then call("HSET", key, "unsent", "1") end
      end
    end
    if command == "LPUSH" then return function() call("LREM", key, 1, first) end end
    if command == "RPUSH" then return function() call("LREM", key, -1, first) end end
    if command == "ZADD" then return function() if before then call("ZADD", key, before, second) else call("ZREM", key, second) end end end
    if command == "SADD" and reply == 1 then return function() call("SREM", key, first) end end
    if command == "INCR" and reply == 1 then return function() call("DEL", key) end end
    if command == "HINCRBY" then return function() call("HINCRBY", key, first, -second) end end
    if command == "RPOPLPUSH" and reply then
      return function()
        call("RPUSH", key, reply)
        call("LREM", first, 1, reply)
      end
    end
    return nil
  end

  local function run(command, ...)
    if deletes[command] then return deletes[command](...) end
    local key = ...
    if counts[command] then return call(command, key) - (gone[key] or 0) end
    if off[key] then deleteNow(key) end
    local isNew = makes[command] and call("EXISTS", key) == 0
    local before = command == "ZADD" and call("ZSCORE", key, (select(3, ...)))
    running = command
    local reply = call(command, ...)
    running = nil
    undo[#undo + 1] = undoOf(command, isNew and reply, before, reply, ...)
    return reply
  end

  local ok, reply = pcall(function()
    local given = body(setmetatable({ call = run }, { __index = redis }))
    -- Where jobs were comes first, the one that the script is about last of these; then the locks.
    for at = #keys, 1, -1 do
      if off[keys[at]] and off[keys[at]].isPlace then deleteNow(keys[at]) end
    end
    for _, key in ipairs(keys) do
      if off[key] then deleteNow(key) end
    end
    return given
  end)
  if ok then return reply end
  for at = #undo, 1, -1 do pcall(undo[at]) end
  local why = type(reply) == "table" and reply.err or tostring(reply)
  if running and string.find(why, "can't run this command", 1, true) then
    error({ err = "NOPERM no permissions to run the '" .. string.lower(running) .. "' command in a script" }, 0)
  end
  error(reply, 0)
end
`,
  "redis/claim": `--[[
  Claims tasks for a delivery, so that lower deliveries can store nothing any more.

  KEYS[i]       record of task i
  ARGV[1]       longest record that is read, in bytes
  ARGV[3i-1]    delivery number
  ARGV[3i]      time to live of the claim, ms
  ARGV[3i+1]    the record that says so: JSON that starts with {"state":"STARTED","delivery":n

  Returns for each task: 0 claimed, 2 fenced (a later delivery has claimed it), or the record of a task that has a terminal state, cut one byte behind the longest
]]
local RecordState = require("parts/record-state")

local replies = {}
for i, key in ipairs(KEYS) do
  local delivery, ttl, record = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local state, claimed = RecordState.of(key)
  if RecordState.terminal[state] then
    replies[i] = redis.call("GETRANGE", key, 0, ARGV[1])
  elseif claimed and claimed > tonumber(delivery) then
    replies[i] = 2
  else
    redis.call("SET", key, record, "PX", ttl)
    replies[i] = 0
  end
end
return replies
`,
  "redis/claim-name": `--[[
  Claims the name of a worker, or keeps it: one that nobody holds goes to whoever asks first.

  KEYS[1]       who holds the name, a hash
  ARGV[1]       token of whoever asks
  ARGV[2]       time to live, ms
  ARGV[3]       host of whoever asks
  ARGV[4]       its process id
  ARGV[5]       since when it works, ms since the epoch

  Returns 0 if it holds the name; else host, process id and start of whoever does, each cut to 200 bytes
]]
local holder = redis.call("HGET", KEYS[1], "token")
if holder and holder ~= ARGV[1] then
  local facts = redis.call("HMGET", KEYS[1], "host", "pid", "startedAt")
  for i = 1, 3 do facts[i] = string.sub(facts[i] or "", 1, 200) end
  return facts
end
if not holder then redis.call("HSET", KEYS[1], "token", ARGV[1], "host", ARGV[3], "pid", ARGV[4], "startedAt", ARGV[5]) end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 0
`,
  "redis/probe-rights": `--[[
  Which commands the user of a script may not run. Each is tried on a string, on which most of them fail, and none leaves anything.

  KEYS[1]       a key that is free to use
  ARGV          the commands, each with the number of its arguments and these; "key" stands for the key

  Returns those that are refused
]]
local missing = {}

local function try(...)
  local reply = redis.pcall(...)
  local why = type(reply) == "table" and reply.err or ""
  return not string.find(why, "can't run this command", 1, true) and not string.find(why, "NOPERM", 1, true)
end

-- Without it there is no string, and what would make something else is not tried.
local isThere = try("SET", KEYS[1], "text", "PX", 1000)
if not isThere then missing[1] = "SET" end
local makes = { LPUSH = true, RPUSH = true, SADD = true, ZADD = true, HSET = true, HMSET = true, HSETNX = true, HINCRBY = true, INCR = true, INCRBY = true, XADD = true, SETBIT = true }

local at = 1
while at <= #ARGV do
  local command, count = ARGV[at], tonumber(ARGV[at + 1])
  local args = {}
  for n = 1, count do
    local arg = ARGV[at + 1 + n]
    args[n] = arg == "key" and KEYS[1] or arg
  end
  if (isThere or not makes[command]) and not try(command, unpack(args)) then missing[#missing + 1] = command end
  at = at + 2 + count
end
redis.pcall("DEL", KEYS[1])
return missing
`,
  "redis/release-name": `--[[
  Gives up the name of a worker, unless somebody else holds it.

  KEYS[1]       who holds the name, a hash
  ARGV[1]       token of whoever gives it up

  Returns 1 if it held the name, else 0
]]
if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])
`,
  "redis/store": `--[[
  Stores task records and tells those who wait.

  ARGV[1]       what the keys of records start with
  ARGV[2]       longest record that is sent along with a notification, in bytes
  ARGV[3]       how many groups follow, as parts/store-records reads them

  Returns for each record: 0 stored, 1 superseded, 2 fenced
]]
local replies = require("parts/store-records").groups(4, tonumber(ARGV[3]), ARGV[1], tonumber(ARGV[2]))
return replies
`,
  "redis/unclaim": `--[[
  Removes the claim of a delivery, unless something was stored or claimed since.

  KEYS[1]       record of the task
  ARGV[1]       delivery number

  Returns 1 if it was removed, else 0
]]
local state, claimed = require("parts/record-state").of(KEYS[1])
if state ~= "STARTED" or claimed ~= tonumber(ARGV[1]) then return 0 end
return redis.call("DEL", KEYS[1])
`,
};
