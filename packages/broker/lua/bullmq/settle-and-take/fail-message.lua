-- Writes that a message has failed, and tells BullMQ's tools. One that is to be kept among the dead letters is kept there first.
local call = redis.call

-- Longest reason in an event, in bytes: the whole is with the job.
local longestInEvent = 1000

local function clipped(reason)
  if #reason <= longestInEvent then return reason end
  return (string.gsub(string.sub(reason, 1, longestInEvent), "[\192-\255][\128-\191]*$", ""))
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
