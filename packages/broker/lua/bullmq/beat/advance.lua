--[[
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
