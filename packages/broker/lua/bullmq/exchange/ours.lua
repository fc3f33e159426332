--[[
  Finishes messages of ours in batches: every token is checked before anything is written. Each job is written where it goes before it is taken off the active list, and its lock goes
  last: if Redis refuses something in between, it stays on loan, and is settled once more. The first write deletes: a full Redis refuses a script's first write unless it does, never a
  later one.

  Reads of the exchange: call, now, isWrong, attempt, DeadLetters, Retained
]]
-- Where a job goes that ends in this way.
local ends = { done = "completed", ["done-again"] = "completed", ["done-late"] = "completed", failed = "failed", dead = "failed" }

-- What was checked, a batch for each group of settlements, and the queues of these.
local checked, touched = {}, {}

-- What is about to end stands no more among those whose lease may have run out. Where that set is something else, nobody stands there.
local function unmark(prefix, ids)
  local reply = redis.pcall("SREM", prefix .. "stalled", unpack(ids))
  if type(reply) == "table" and not string.find(reply.err, "WRONGTYPE", 1, true) then error(reply, 0) end
end

-- Checks the tokens of a group that stands in ARGV from `at` on, `width` arguments each. The first write comes here, and harms nobody: a job that runs is marked again by the next scan.
local function check(batch, at, width, count, number)
  local prefix = batch.prefix
  local locks = {}
  for i = 1, count do locks[i] = prefix .. ARGV[at + (i - 1) * width] .. ":lock" end
  local held = call("MGET", unpack(locks))
  local ids, places, numbers, freed, leaving = {}, {}, {}, {}, {}
  for i = 1, count do
    local place = at + (i - 1) * width
    local id = ARGV[place]
    if held[i] == ARGV[place + 1] and not leaving[id] then
      local n = #ids + 1
      ids[n], places[n], numbers[n], freed[n] = id, place, number + i, locks[i]
      leaving[id] = true
    else
      isWrong(number + i, held[i] and -6 or -2)
    end
  end
  if #ids == 0 then return end
  unmark(prefix, ids)
  batch.ids, batch.places, batch.numbers, batch.freed = ids, places, numbers, freed
  checked[#checked + 1] = batch
end

-- Checks a group of late successes: their leases ran out, and the work is done all the same, whoever has their messages now. What waits again and has no result that would say so
-- is marked instead: whoever takes it does not run it.
local function checkLate(batch, at, width, count, number)
  local prefix = batch.prefix
  local ids, places, numbers, freed, leaving = {}, {}, {}, {}, {}
  for i = 1, count do
    local place = at + (i - 1) * width
    local id = ARGV[place]
    local job = redis.pcall("HMGET", prefix .. id, "ats", "finishedOn")
    local times = tonumber(job[1] or nil)
    if job.err then
      isWrong(number + i, job.err)
    elseif leaving[id] or job[2] or not times or times < tonumber(ARGV[place + 1]) then
      isWrong(number + i, -1)
    elseif call("LPOS", prefix .. "active", id) then
      local n = #ids + 1
      ids[n], places[n], numbers[n], freed[n] = id, place, number + i, prefix .. id .. ":lock"
      leaving[id] = true
    elseif ARGV[place + 2] ~= "1" then
      call("HSET", prefix .. id, "verdict", "succeeded")
    end
  end
  if #ids == 0 then return end
  unmark(prefix, ids)
  batch.ids, batch.places, batch.numbers, batch.freed = ids, places, numbers, freed
  checked[#checked + 1] = batch
end

local function longestEvents(prefix)
  local length = call("HGET", prefix .. "meta", "opts.maxLenEvents")
  if length then return length end
  call("HSET", prefix .. "meta", "opts.maxLenEvents", 10000)
  return 10000
end

-- Takes the jobs off the active list. The oldest stand at its end, and most of those that end are the oldest.
local function leave(active, ids, leaving)
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

-- Longest reason that an event tells, in bytes: the whole is with the job.
local longestTold = 1000

local function told(reason)
  if #reason <= longestTold then return reason end
  return (string.gsub(string.sub(reason, 1, longestTold), "[\192-\255][\128-\191]*$", ""))
end

local leftovers = { "begun", "revoked", "terminate", "verdict", "unknownSince" }

local function fail(batch, id, place)
  local jobKey, events, keep = batch.prefix .. id, batch.events, batch.keep
  local reason, stack = ARGV[place + 2], ARGV[place + 3]
  if batch.action == "dead" then DeadLetters.keep(batch.own, id, reason, DeadLetters.read(jobKey, keep), keep) end
  local event = call("XADD", events, "*", "event", "failed", "jobId", id, "failedReason", told(reason), "prev", "active")
  call("XADD", events, "*", "event", "retries-exhausted", "jobId", id, "attemptsMade", batch.finish)
  if batch.keepsNone then return end
  if stack == "" then
    call("HSET", jobKey, "atm", batch.finish, "failedReason", reason, "finishedOn", now, "event", event)
  else
    call("HSET", jobKey, "atm", batch.finish, "failedReason", reason, "finishedOn", now, "event", event, "stacktrace", stack)
  end
  batch.told = (batch.told or 0) + #reason + #stack
end

local function finishOne(batch, id, place)
  if batch.target == "failed" then return fail(batch, id, place) end
  local jobKey = batch.prefix .. id
  if not batch.keepsNone then
    call("HSET", jobKey, "atm", batch.finish, "returnvalue", "null", "finishedOn", now)
  end
  call("XADD", batch.events, "*", "event", "completed", "jobId", id, "returnvalue", "null", "prev", "active")
end

-- Notes what ended, with how much it takes. Gives that for one job, in bytes.
local function keepFinished(batch, kind, ids)
  local keep = batch.keep
  local class = Retained.class((keep.arguments and keep.each or 0) + (batch.told or 0) / #ids)
  local scored, score = {}, Retained.score(now - 1, class, true)
  for i, id in ipairs(ids) do scored[2 * i - 1], scored[2 * i] = score, id end
  call("ZADD", kind.set, unpack(scored))
  return Retained.sizeOf(class)
end

-- What a finished job needs no more goes once it stands among the finished ones: what is refused before is settled once more, or taken again, with its message and its marks.
local function clear(batch, ids)
  local failed = batch.target == "failed"
  if batch.keepsNone or (batch.action == "done" and batch.keep.arguments) then return end
  for _, id in ipairs(ids) do
    local jobKey = batch.prefix .. id
    if failed then call("HDEL", jobKey, "defa", not batch.keep.arguments and "data" or "begun", unpack(leftovers))
    elseif batch.action == "done" then call("HDEL", jobKey, "data")
    else call("HDEL", jobKey, not batch.keep.arguments and "data" or "begun", unpack(leftovers)) end
  end
end

-- What may fail for all of them comes before any leaves the active list.
local function finish(batch)
  local prefix, keep = batch.prefix, batch.keep
  batch.events = prefix .. "events"
  call("XTRIM", batch.events, "MAXLEN", "~", longestEvents(prefix))
  batch.keepsNone = keep.most == 0 or keep.bytes == 0
  local ids, freed, leaving = {}, {}, {}
  for i, id in ipairs(batch.ids) do
    local trouble = attempt(finishOne, batch, id, batch.places[i])
    if trouble then
      isWrong(batch.numbers[i], trouble)
    else
      ids[#ids + 1], leaving[id] = id, true
      local n, jobKey = #freed, prefix .. id
      freed[n + 1] = batch.freed[i]
      if batch.keepsNone then freed[n + 2], freed[n + 3] = jobKey, jobKey .. ":logs" end
    end
  end
  if #ids == 0 then return end
  local kind = Retained.finished(prefix, batch.own, batch.target)
  local size = not batch.keepsNone and keepFinished(batch, kind, ids)
  clear(batch, ids)
  leave(prefix .. "active", ids, leaving)
  batch.left = true
  call("DEL", unpack(freed))
  touched[prefix] = true
  if size then
    Retained.bound(kind, #ids, #ids * size, keep.most, keep.bytes)
  elseif call("EXISTS", kind.set) == 1 then
    -- What was kept before goes as well.
    Retained.bound(kind, 0, 0, keep.most, keep.bytes)
  end
end

-- Without what is left out; false if nothing stays.
local function reduced(batch)
  if not batch.out then return true end
  local ids, places, numbers, freed = {}, {}, {}, {}
  for i, id in ipairs(batch.ids) do
    if not batch.out[i] then
      local n = #ids + 1
      ids[n], places[n], numbers[n], freed[n] = id, batch.places[i], batch.numbers[i], batch.freed[i]
    end
  end
  batch.ids, batch.places, batch.numbers, batch.freed = ids, places, numbers, freed
  return #ids > 0
end

local function finishChecked()
  for _, batch in ipairs(checked) do
    local trouble = reduced(batch) and attempt(finish, batch)
    if trouble and not batch.left then
      for _, number in ipairs(batch.numbers) do isWrong(number, trouble) end
    end
  end
  for prefix in pairs(touched) do
    if call("EXISTS", prefix .. "wait", prefix .. "active", prefix .. "prioritized") == 0 then redis.pcall("XADD", prefix .. "events", "*", "event", "drained") end
  end
end
