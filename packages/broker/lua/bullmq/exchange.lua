--[[
  Stores results, settles what has ended, then takes what may run: many jobs in one call.

  Plain cases (one of our messages that succeeded or failed; a queue that is neither paused nor limited, and whose due and prioritised jobs are none) are done here in batches, on
  BullMQ's keys and in its formats; all others by BullMQ's own scripts, job by job.

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
                producer foreign-completed, foreign-failed, foreign-unrecoverable (failed for good, whatever its attempts) or foreign-dead
    finish      the how-manieth time it ends
    how many settlements follow
    only for what ends, or is a plain job's: bytes of all their messages; how many finished jobs of its kind the queue keeps, and of how many bytes; "1" to keep the arguments of
                finished tasks; for dead and foreign-dead also how many dead letters it keeps, and of how many bytes
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
      places          where it stands in flows, JSON
      ending          "value" or "mishap", and the value or the mishap, JSON; or "replaced" and "", if others run in its place
  then the queues in their turn, one argument each: q to look whatever its marker says, -q to look only if its marker says that there is something

  Returns { wrong, deliveries, dry, faults, held, behind, dropped }
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
local call = redis.call
local now, lease, worker, tokens, longest = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[11])
--- @include parts/attempt
--- @include parts/begun
--- @include parts/retained
--- @include parts/store-records
--- @include parts/wholly

local wrong = {}

local function isWrong(settlement, reply)
  wrong[#wrong + 1] = settlement
  wrong[#wrong + 1] = reply
end

local flowKeys, queueKeys, flowIndex

-- What is known of a job that was taken before, besides why it was revoked; false for most.
local function marksOf(verdict, unknownSince)
  return (verdict or unknownSince) and { verdict or false, unknownSince or false } or false
end

--- @include bullmq/exchange/dead-letters

-- Most calls need neither BullMQ's way nor flows, and to define all that these need takes longer than to settle a message: so it is defined when it is asked for.
local way, flowsWay

local function unusually()
  if way then return way end
--- @include bullmq/exchange/by-bullmq
  way = { settle = settleUnusual, take = takeUnusual }
  return way
end

local function inFlows()
  if flowsWay then return flowsWay end
--- @include bullmq/flow/following
  flowsWay = { continue = continue, replace = replace }
  return flowsWay
end

--- @include bullmq/exchange/ours
--- @include bullmq/exchange/taking
--- @include bullmq/exchange/continuing

local widths = { done = 2, ["done-again"] = 2, ["done-late"] = 3, requeued = 2, crashed = 2 }
local unusual = {}

-- How what ends is kept, which stands in ARGV from `at` on. Gives it, and where it ends.
local function keepFrom(at, action, queue)
  if not ends[action] and string.sub(action, 1, 8) ~= "foreign-" then return nil, at end
  local keep = { queue = queue, values = tonumber(ARGV[at]), most = tonumber(ARGV[at + 1]), bytes = tonumber(ARGV[at + 2]), arguments = ARGV[at + 3] == "1" }
  if action ~= "dead" and action ~= "foreign-dead" then return keep, at + 4 end
  keep.letters, keep.letterBytes = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  return keep, at + 6
end

local at, number = 13, 0
for _ = 1, tonumber(ARGV[12]) do
  local queue, action, finish, count = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local keep
  keep, at = keepFrom(at + 4, action, queue)
  local width = widths[action] or 4
  if ends[action] then
    keep.each = keep.values / count
    local batch = { prefix = KEYS[2 * queue - 1], own = KEYS[2 * queue], action = action, target = ends[action], finish = finish, keep = keep }
    local pick = action == "done-late" and checkLate or check
    local trouble = attempt(pick, batch, at, width, count, number)
    if trouble then
      for i = 1, count do isWrong(number + i, trouble) end
    end
  else
    unusual[#unusual + 1] = { KEYS[2 * queue - 1], KEYS[2 * queue], action, at, width, count, number, keep or false }
  end
  at = at + width * count
  number = number + count
end

local groups = tonumber(ARGV[at])
at = at + 1
local stored
if groups > 0 then
  local own, results = ARGV[7], ARGV[8]
  if own ~= results then call("SELECT", results) end
  stored, at = storeRecords(at, groups, ARGV[9], tonumber(ARGV[10]))
  if own ~= results then call("SELECT", own) end
end

at = continueAll(at, stored)
finishChecked()
for _, group in ipairs(unusual) do unusually().settle(unpack(group)) end
for i = 2, #wrong, 2 do
  if isForPrimary(wrong[i]) then return redis.error_reply(wrong[i]) end
end

local wanted = tonumber(ARGV[5])
if wanted == 0 then return { wrong, {}, {}, {}, held, behind, DeadLetters.dropped } end
local faults = takeAll(at, wanted)
if isForPrimary(faults[2]) and #given == 0 then return redis.error_reply(faults[2]) end
return { wrong, given, dry, faults, held, behind, DeadLetters.dropped }
