-- Settles jobs one by one, with BullMQ's own scripts: those that are put back, and those of plain producers, which may ask for anything.
local call = redis.call
local Attempt, PutBack, StartedDeliveries = require("parts/attempt"), require("parts/put-back"), require("parts/started-deliveries")
local SettleBatch, MoveBack = require("bullmq/settle-and-take/settle-batch"), require("bullmq/settle-and-take/move-back")
local SettleSingle = {}

-- Notes that the delivery has ended that has a job on loan.
local function endedOf(jobKey)
  return function() StartedDeliveries.remove(jobKey, call("HGET", jobKey, "ats")) end
end

-- Sends the next attempt of one of our messages, in the place of this one.
local function retry(request, prefix, id, token, message, due)
  local fields, pause = cmsgpack.pack({ "data", message }), tonumber(due) - tonumber(request.now)
  if pause > 0 then return MoveBack.delayed(request, prefix, id, token, pause, "0", fields, endedOf(prefix .. id)) end
  return MoveBack.waiting(request, prefix, id, token, "LPUSH", fields, endedOf(prefix .. id))
end

-- Puts a message back for later: neither a crash nor an attempt. `since`: since when workers have put it back that do not know it, or "".
local function postpone(request, prefix, id, token, since, due)
  local pause, fields = math.max(tonumber(due) - tonumber(request.now), 0), since ~= "" and cmsgpack.pack({ "unknownSince", since }) or ""
  return MoveBack.delayed(request, prefix, id, token, pause, "1", fields, endedOf(prefix .. id))
end

-- Puts a plain job back for later that is not for this worker. However often that happens, one start is counted, of which there may be a limit; it is taken under the same number again.
local function leaveToOthers(request, prefix, id, token, since, due)
  local reply = postpone(request, prefix, id, token, since, due)
  if type(reply) == "number" and reply >= 0 and tonumber(call("HGET", prefix .. id, "ats")) > 1 then call("HINCRBY", prefix .. id, "ats", -1) end
  return reply
end

local function settle(request, reply, group, id, token, value, stack)
  local action, prefix = group.action, group.prefix
  if action == "requeued" then return PutBack.job(prefix, id, token) end
  if action == "crashed" then return PutBack.crashed(prefix, id, token) end
  if action == "retried" then return retry(request, prefix, id, token, value, stack) end
  if action == "postponed" then return postpone(request, prefix, id, token, value, stack) end
  if action == "left" then return leaveToOthers(request, prefix, id, token, value, stack) end
  return require("bullmq/settle-and-take/settle-external").job(request, reply, group, id, token, value, stack)
end

-- Settles a group of settlements one by one.
function SettleSingle.group(request, reply, group)
  for i = 1, group.count do
    local place = group.at + (i - 1) * group.width
    local outcome = Attempt.run(settle, request, reply, group, ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3])
    if type(outcome) ~= "number" or outcome < 0 then SettleBatch.fail(reply, group.number + i, outcome) end
  end
end

return SettleSingle
