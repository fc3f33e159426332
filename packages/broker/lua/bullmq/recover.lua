--[[
  Puts jobs whose lease ran out back into their queues. BullMQ looks twice: a job is recovered at the scan after the one that finds it without a lease.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  ARGV[2]       time between two scans, whoever does them, ms

  Returns the number of jobs that were put back
]]
--- @include moveStalledJobsToWait

-- BullMQ would fail a job that stalled more often than this; lost replies count as stalls there, so that is not for it to decide.
local oftenest = 1000000000

local recovered = 0
for _, prefix in ipairs(KEYS) do
  local function key(suffix) return prefix .. suffix end
  if redis.call("EXISTS", key("active"), key("stalled")) > 0 then
    recovered = recovered + #moveStalledJobsToWait(
      { key("stalled"), key("wait"), key("active"), key("stalled-check"), key("meta"), key("paused"), key("marker"), key("events"), key("repeat") },
      { oftenest, prefix, ARGV[1], ARGV[2] })
  end
end
return recovered
