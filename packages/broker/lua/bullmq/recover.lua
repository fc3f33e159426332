--[[
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
