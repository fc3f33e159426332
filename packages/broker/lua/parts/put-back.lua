--[[
  Puts jobs that are on loan back into their queues.

  Reads of the script: call, hasEnded
]]
--- @include moveJobFromActiveToWait
--- @include parts/wholly

-- Keys of a queue by their suffixes, in their order.
local function keysOf(prefix, ...)
  local keys = { ... }
  for i, suffix in ipairs(keys) do keys[i] = prefix .. suffix end
  return keys
end

local function requeue(prefix, id, token, isNoCrash)
  return wholly(function(whole)
    local reply = moveJobFromActiveToWait(
      keysOf(prefix, "active", "wait", "stalled", "paused", "meta", "limiter", "prioritized", "marker", "events"),
      { id, token, prefix .. id }, whole)
    if reply < 0 then return reply end
    if isNoCrash then hasEnded(prefix .. id, call("HGET", prefix .. id, "ats")) end
    -- BullMQ rings for a job without priority only.
    if call("HEXISTS", prefix .. "meta", "paused") == 0 then call("ZADD", prefix .. "marker", 0, "0") end
    return reply
  end)
end

-- What is put back by whoever had it has ended there, and is no crash.
local function putBack(prefix, id, token)
  return requeue(prefix, id, token, true)
end
