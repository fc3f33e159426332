--[[
  Finishes messages of ours in batches: every token is checked before anything is written, and what deletes comes first, since a full Redis refuses a script's first write, never a
  later one.

  Reads of the exchange: call, now, kept, isWrong, attempt, bury
]]
-- Where a job goes that ends in this way.
local ends = { done = "completed", ["done-again"] = "completed", ["done-late"] = "completed", failed = "failed", buried = "failed" }

-- What was checked, a batch for each group of settlements, and the queues of these.
local checked, touched = {}, {}

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
  call("SREM", prefix .. "stalled", unpack(ids))
  batch.ids, batch.places, batch.numbers, batch.freed, batch.leaving = ids, places, numbers, freed, leaving
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
    local job = call("HMGET", prefix .. id, "ats", "finishedOn")
    local times = tonumber(job[1])
    if leaving[id] or job[2] or not times or times < tonumber(ARGV[place + 1]) then
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
  call("SREM", prefix .. "stalled", unpack(ids))
  batch.ids, batch.places, batch.numbers, batch.freed, batch.leaving = ids, places, numbers, freed, leaving
  checked[#checked + 1] = batch
end

local function longestEvents(prefix)
  local length = call("HGET", prefix .. "meta", "opts.maxLenEvents")
  if length then return length end
  call("HSET", prefix .. "meta", "opts.maxLenEvents", 10000)
  return 10000
end

-- Takes the jobs off the active list. The oldest stand at its end, and most of those that end are the oldest.
local function leave(batch)
  local active, ids, leaving = batch.prefix .. "active", batch.ids, batch.leaving
  local tail = call("LRANGE", active, -#ids, -1)
  local together = 0
  while together < #tail and leaving[tail[#tail - together]] do
    leaving[tail[#tail - together]] = nil
    together = together + 1
  end
  if together > 0 then call("LTRIM", active, 0, -(together + 1)) end
  if together == #ids then return nil end
  local absent = {}
  for id in pairs(leaving) do absent[id] = call("LREM", active, -1, id) == 0 or nil end
  return absent
end

local function fail(batch, id, place)
  local jobKey, events = batch.prefix .. id, batch.events
  local reason, stack = ARGV[place + 2], ARGV[place + 3]
  if batch.action == "buried" then bury(batch.morgue, id, reason, call("HMGET", jobKey, "name", "data")) end
  if stack == "" then
    call("HSET", jobKey, "atm", batch.finish, "failedReason", reason, "finishedOn", now)
  else
    call("HSET", jobKey, "atm", batch.finish, "failedReason", reason, "finishedOn", now, "stacktrace", stack)
  end
  call("HDEL", jobKey, "defa", "begun", "revoked", "terminate", "verdict", "unknownSince")
  call("XADD", events, "*", "event", "failed", "jobId", id, "failedReason", reason, "prev", "active")
  call("XADD", events, "*", "event", "retries-exhausted", "jobId", id, "attemptsMade", batch.finish)
end

-- Removes what is kept beyond the count.
local function trim(prefix, target)
  local set, count = prefix .. target, kept[target].count
  local beyond = call("ZREVRANGE", set, count, -1, "WITHSCORES")
  if #beyond == 0 then return end
  local gone = {}
  for i = 1, #beyond, 2 do
    local id = beyond[i]
    -- Half a millisecond says that it is one of ours: it has no family.
    if string.find(beyond[i + 1], ".5", 1, true) then
      gone[#gone + 1] = prefix .. id
      gone[#gone + 1] = prefix .. id .. ":logs"
    else
      -- First, while its parent can be told; it keeps the last job of a scheduler, and that goes too.
      removeJob({ prefix .. id, prefix .. "repeat" }, { id, "0", prefix })
      for _, of in ipairs({ "", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful" }) do gone[#gone + 1] = prefix .. id .. of end
    end
  end
  if #gone > 0 then call("DEL", unpack(gone)) end
  call("ZREMRANGEBYRANK", set, 0, -(count + 1))
end

local function finishOne(batch, id, place)
  if batch.target == "failed" then return fail(batch, id, place) end
  local jobKey = batch.prefix .. id
  call("HSET", jobKey, "atm", batch.finish, "returnvalue", "null", "finishedOn", now)
  if batch.action ~= "done" then call("HDEL", jobKey, "begun", "revoked", "terminate", "verdict", "unknownSince") end
  call("XADD", batch.events, "*", "event", "completed", "jobId", id, "returnvalue", "null", "prev", "active")
end

-- What may fail for all of them comes before their locks are freed.
local function finish(batch)
  local prefix, ids, target = batch.prefix, batch.ids, batch.target
  batch.events = prefix .. "events"
  call("XTRIM", batch.events, "MAXLEN", "~", longestEvents(prefix))
  local absent = leave(batch)
  call("DEL", unpack(batch.freed))
  batch.left = true
  local scored, score = {}, string.format("%.1f", now - 0.5)
  for i, id in ipairs(ids) do
    local trouble = absent and absent[id] and -3 or attempt(finishOne, batch, id, batch.places[i])
    if trouble then
      isWrong(batch.numbers[i], trouble)
    else
      scored[#scored + 1] = score
      scored[#scored + 1] = id
    end
  end
  if #scored > 0 then
    call("ZADD", prefix .. target, unpack(scored))
    trim(prefix, target)
  end
  touched[prefix] = true
end

-- Without what is left out; false if nothing stays.
local function reduced(batch)
  if not batch.out then return true end
  local ids, places, numbers, freed, leaving = {}, {}, {}, {}, {}
  for i, id in ipairs(batch.ids) do
    if not batch.out[i] then
      local n = #ids + 1
      ids[n], places[n], numbers[n], freed[n] = id, batch.places[i], batch.numbers[i], batch.freed[i]
      leaving[id] = true
    end
  end
  batch.ids, batch.places, batch.numbers, batch.freed, batch.leaving = ids, places, numbers, freed, leaving
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
    if call("EXISTS", prefix .. "wait", prefix .. "active", prefix .. "prioritized") == 0 then call("XADD", prefix .. "events", "*", "event", "drained") end
  end
end
