--[[
  Takes messages from the queues in their turn: plain ones are reserved first, then popped from each queue in one go, then given their leases.

  A queue whose keys somebody has spoilt gives nothing, and costs the others nothing.

  Reads of the exchange: call, now, lease, worker, tokens, longest, unusually, marksOf, crashesOf
]]
-- What was taken, flat, and the queues that had nothing.
local given, dry = {}, {}

-- Longest name, and reason of a revocation, that are given whole, in bytes: nobody believes longer ones.
local longestText = 4096

local function give(queue, id, name, data, priority, times, ended, token, revoked, crashes)
  local n = #given
  if name and #name > longestText then name = string.sub(name, 1, longestText) end
  if type(revoked) == "string" and #revoked > longestText then revoked = string.sub(revoked, 1, longestText) end
  given[n + 1], given[n + 2], given[n + 3], given[n + 4], given[n + 5] = queue, id, name, data, priority
  given[n + 6], given[n + 7], given[n + 8], given[n + 9], given[n + 10] = times, ended, token, revoked, crashes
end

-- How much longer than BullMQ's Workers we wait for what workers of ours did not know when they had it, in ms: it may be meant for those, and they promote whatever is due.
local headStart = 200

-- When the first delayed job of a queue is due for us, ms; nil without any.
local function dueIn(prefix, delayed)
  if not delayed[2] then return nil end
  local due = tonumber(delayed[2]) / 0x1000
  -- What is no job is due: BullMQ's way clears it away.
  return redis.pcall("HEXISTS", prefix .. delayed[1], "unknownSince") == 1 and due + headStart or due
end

-- What a queue has for us: a supply of plain jobs, or only BullMQ's way.
local function viewOf(queue)
  local prefix = KEYS[2 * queue - 1]
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency", "max")
  local delayed = call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")
  -- BullMQ promotes none of a time before 1970: it would be looked for without end.
  if delayed[2] and tonumber(delayed[2]) < 0 then call("ZADD", prefix .. "delayed", 0, delayed[1]) end
  local isDue = delayed[2] and tonumber(delayed[2]) < (tonumber(now) + 1) * 0x1000 and dueIn(prefix, delayed) < tonumber(now) + 1
  local unusual = meta[1] or meta[2] or meta[3] or isDue
  return { queue = queue, prefix = prefix, events = prefix .. "events", unusual = unusual, supply = unusual and 0 or call("LLEN", prefix .. "wait"), count = 0 }
end

-- A marker of score 0 says that there is a job, one of a later time that a delayed job is due then. BullMQ sets none while as many run at once
-- as may: there, each end is a reason to look.
local function isMarked(prefix)
  local marker = call("ZRANGE", prefix .. "marker", 0, 0, "WITHSCORES")
  return marker[2] and tonumber(marker[2]) <= tonumber(now) or call("HEXISTS", prefix .. "meta", "concurrency") == 1
end

local function close(view, limited)
  view.closed = true
  local prefix = view.prefix
  local waiting = call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0
  if not waiting then call("ZREMRANGEBYSCORE", prefix .. "marker", 0, now) end
  local delayed = call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")
  local due = dueIn(prefix, delayed) or 0
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency")
  dry[#dry + 1] = { view.queue, limited, due, not meta[1] and (waiting or meta[2]) and 1 or 0 }
end

-- Pops what was reserved from one queue, in one go, as RPOPLPUSH would, one by one. It is written where it goes before it is deleted where it was. The first LTRIM deletes nothing: it
-- asks whether that is allowed, and a full Redis, which refuses a script's first write unless that deletes, lets the others pass.
local function pop(view)
  local prefix, count = view.prefix, view.count
  view.popped = true
  if count == 0 then return end
  local ids = call("LRANGE", prefix .. "wait", -count, -1)
  local order = {}
  for i = count, 1, -1 do order[#order + 1] = ids[i] end
  call("LTRIM", prefix .. "wait", 0, -1)
  call("LPUSH", prefix .. "active", unpack(order))
  call("LTRIM", prefix .. "wait", 0, -(count + 1))
  view.ids, view.next = order, 0
  if call("EXISTS", prefix .. "wait", prefix .. "prioritized") > 0 then call("ZADD", prefix .. "marker", 0, "0") end
end

-- Reserves the next job of a queue for a slot, or takes it in BullMQ's way; false when it has none.
local function reserve(view, slots)
  if view.count < view.supply then
    view.count = view.count + 1
    slots[#slots + 1] = view
    return true
  end
  if not view.popped then pop(view) end
  local limited = 0
  if view.unusual or call("EXISTS", view.prefix .. "prioritized") == 1 then
    local delivery
    delivery, limited = unusually().take(view.queue, view.prefix, tokens .. ":" .. (#slots + 1))
    if delivery then
      slots[#slots + 1] = delivery
      return true
    end
  end
  close(view, limited)
  return false
end

-- Gives the next job of those that were popped its lease.
local function begin(view, token)
  view.next = view.next + 1
  local id, prefix = view.ids[view.next], view.prefix
  local jobKey = prefix .. id
  local length = call("HSTRLEN", jobKey, "data")
  local job = call("HMGET", jobKey, "name", length <= longest and "data" or "", "priority", "ats", "atm", "revoked")
  if length > longest then job[2] = length end
  local times = (tonumber(job[4]) or 0) + 1
  local before = times > 1 and call("HMGET", jobKey, "begun", "verdict", "unknownSince") or {}
  local begun, revoked = before[1], job[6] or marksOf(before[2], before[3])
  call("SET", jobKey .. ":lock", tokens .. ":" .. token, "PX", lease)
  call("XADD", view.events, "*", "event", "active", "jobId", id, "prev", "waiting")
  call("HSET", jobKey, "processedOn", now, "pb", worker, "ats", times)
  give(view.queue, id, job[1], job[2], job[3], times, tonumber(job[5]) or 0, token, revoked, crashesOf(times, begun, job[5]))
end

-- Queues that could not be looked into or taken from, and those of which messages were taken that could not begin: for each its number, why, or false, and how many messages stay on
-- its active list until somebody looks for lost ones. Where each stands there.
local faults, faultAt = {}, {}

local function noteFault(queue, why, left)
  local n = faultAt[queue] or #faults + 1
  faultAt[queue] = n
  faults[n], faults[n + 1], faults[n + 2] = queue, faults[n + 1] or why, (faults[n + 2] or 0) + left
end

-- What `f` gives; nothing if it fails, which is noted of the queue.
local function noting(queue, f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  noteFault(queue, type(reply) == "table" and reply.err or tostring(reply), 0)
  return nil
end

-- What could not begin: a job goes back to where it was. Of what is no job nothing is lost, and the scan for lost jobs takes it off the active list; so it does with what cannot go back.
local function takeBackOne(view, why)
  local prefix, id = view.prefix, view.ids[view.next]
  local length = redis.pcall("HSTRLEN", prefix .. id, "data")
  if type(length) == "table" and string.find(length.err, "WRONGTYPE", 1, true) then return noteFault(view.queue, false, 1) end
  local isBack = type(redis.pcall("RPUSH", prefix .. "wait", id)) == "number" and type(redis.pcall("LREM", prefix .. "active", 1, id)) == "number"
  redis.pcall("DEL", prefix .. id .. ":lock")
  noteFault(view.queue, why, isBack and 0 or 1)
end

local function beginOrTakeBack(view, token)
  local ok, reply = pcall(begin, view, token)
  if not ok then takeBackOne(view, type(reply) == "table" and reply.err or tostring(reply)) end
end

-- A view of the queue of a turn; false if there is no reason to look.
local function lookInto(turn)
  local queue = math.abs(turn)
  return (turn > 0 or isMarked(KEYS[2 * queue - 1])) and viewOf(queue)
end

-- The queues in the turns that ARGV gives from `at` on, a view for each.
local function turnsFrom(at)
  local turns, views = {}, {}
  for i = at, #ARGV do
    local turn = tonumber(ARGV[i])
    local queue = math.abs(turn)
    if views[queue] == nil then views[queue] = noting(queue, lookInto, turn) or false end
    turns[#turns + 1] = views[queue] or nil
  end
  return turns, views
end

local function reserveAll(turns, wanted, slots)
  local oneEach = ARGV[6] == "turns"
  local open = true
  while open and #slots < wanted do
    open = false
    for _, view in ipairs(turns) do
      while #slots < wanted and not view.closed do
        local reserved = noting(view.queue, reserve, view, slots)
        if reserved == nil then view.closed = true end
        if not reserved then break end
        open = true
        if oneEach then break end
      end
    end
  end
end

-- Gives where something went wrong; what was taken is given all the same.
local function takeAll(at, wanted)
  local slots = {}
  local turns, views = turnsFrom(at)
  reserveAll(turns, wanted, slots)
  for _, view in pairs(views) do
    if view and not view.popped then noting(view.queue, pop, view) end
  end
  for token, slot in ipairs(slots) do
    if slot.id then
      local crashes = crashesOf(slot.times, slot.begun, slot.ended)
      give(slot.queue, slot.id, slot.name, slot.data, slot.priority, slot.times, slot.ended, token, slot.revoked, crashes)
    elseif slot.ids then
      beginOrTakeBack(slot, token)
    end
  end
  return faults
end
