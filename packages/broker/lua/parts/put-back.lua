-- Puts jobs that are on loan back into their queues.
local call = redis.call
local PutBack = {}

-- Puts a job back, and leaves the delivery among those that have started: it counts as a crash.
function PutBack.crashed(prefix, id, token)
  return PutBack.job(prefix, id, token, true)
end

-- Puts a job back. Unless `isCrash`, its delivery has ended.
function PutBack.job(prefix, id, token, isCrash)
  local keysOf = require("parts/queue-keys")
  return require("parts/wholly")(function(whole)
    local reply = require("moveJobFromActiveToWait")(
      keysOf(prefix, "active", "wait", "stalled", "paused", "meta", "limiter", "prioritized", "marker", "events"),
      { id, token, prefix .. id }, whole)
    if reply < 0 then return reply end
    if not isCrash then require("parts/started-deliveries").remove(prefix .. id, call("HGET", prefix .. id, "ats")) end
    -- BullMQ sets the marker only for a job without priority.
    if call("HEXISTS", prefix .. "meta", "paused") == 0 then call("ZADD", prefix .. "marker", 0, "0") end
    return reply
  end)
end

return PutBack
