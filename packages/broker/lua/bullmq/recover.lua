--[[
  Puts jobs whose lease ran out back into their queues. BullMQ looks twice: a job is recovered at the scan after the one that finds it without a lease.
  Sets the marker of a queue that has jobs and no marker: a worker that heard it may have died, or be stuck, and nobody else hears of them.

  KEYS[1]       index of the flows
  KEYS[1 + q]   what the keys of queue q start with
  ARGV[1]       now, ms
  ARGV[2]       time between two scans, whoever does them, ms

  Returns the number of jobs that were put back, and 1 if there are flows that have not ended, else 0
]]
--- @include moveStalledJobsToWait

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

local recovered = 0
for index = 2, #KEYS do
  local prefix = KEYS[index]
  local function key(suffix) return prefix .. suffix end
  if redis.call("EXISTS", key("active"), key("stalled")) > 0 then
    recovered = recovered + #moveStalledJobsToWait(
      { key("stalled"), key("wait"), key("active"), key("stalled-check"), key("meta"), key("paused"), key("marker"), key("events"), key("repeat") },
      { oftenest, prefix, ARGV[1], ARGV[2] })
  end
  markIfNeeded(key)
end
return { recovered, redis.call("EXISTS", KEYS[1]) }
