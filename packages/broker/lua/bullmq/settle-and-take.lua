--[[
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
-- What is returned; without `faults`, `held`, `behind` and `dropped` until there are any.
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
