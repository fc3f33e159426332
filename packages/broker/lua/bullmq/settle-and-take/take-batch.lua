-- Takes the plain jobs that were reserved, and gives each its lease.
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
