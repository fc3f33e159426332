--[[
  Removes all jobs that wait in a queue, due or not.

  KEYS[1]       what the queue's keys start with

  Returns how many there were
]]
local function key(suffix) return KEYS[1] .. suffix end

local function waiting()
  return redis.call("LLEN", key("wait")) + redis.call("LLEN", key("paused")) + redis.call("ZCARD", key("delayed")) + redis.call("ZCARD", key("prioritized"))
end

-- Nothing is deleted yet: whoever may not delete all of it deletes no job.
redis.call("LTRIM", key("wait"), 0, -1)
redis.call("ZREM", key("delayed"), "")
local before = waiting()
require("drain")({ key("wait"), key("paused"), key("delayed"), key("prioritized"), key("repeat") }, { KEYS[1], "1" })
return before - waiting()
