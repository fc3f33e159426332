--[[
  How many jobs queues hold. No key is declared: what is declared needs the right to write.

  ARGV[q]       what the keys of queue q start with

  Returns for each queue: { waiting, delayed, active, completed, failed }
]]
local replies = {}
for q, prefix in ipairs(ARGV) do
  local function length(suffix) return redis.call("LLEN", prefix .. suffix) end
  local function size(suffix) return redis.call("ZCARD", prefix .. suffix) end
  replies[q] = { length("wait") + length("paused") + size("prioritized"), size("delayed"), length("active"), size("completed"), size("failed") }
end
return replies
