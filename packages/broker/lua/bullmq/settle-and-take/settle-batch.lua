--[[
  Finishes messages of ours in batches: every token is checked before anything is written. Each job is written where it goes before it is taken off the active list, and its lock goes
  last: if Redis refuses something in between, it stays on loan, and is settled once more. The first write deletes: a full Redis refuses a script's first write unless it does, never a
  later one.

  A batch is a group of settlements with the `ids` that passed the check, and for each of these its place in ARGV (`places`), its number (`numbers`), and its lock (`freed`).
]]
local call = redis.call
local Retained, Attempt = require("parts/retained"), require("parts/attempt")

-- Where a job goes that ends in this way.
local ends = { done = "completed", ["done-again"] = "completed", ["done-late"] = "completed", failed = "failed", dead = "failed" }

-- The batches that were checked, and the queues of these.
local checked, touched = {}, {}

-- Notes that settlement `number` went wrong: a negative code of BullMQ's, or an error text.
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
