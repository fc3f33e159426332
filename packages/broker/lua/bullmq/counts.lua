--[[
  How many jobs queues hold. No key is declared: what is declared needs the right to write.

  ARGV[q]       what the keys of queue q start with

  Returns, with 0 for a key that holds something of another kind, for each queue: { waiting, delayed, active, completed, failed }
]]
local ask = require("parts/ask")
local replies = {}
for q, prefix in ipairs(ARGV) do
  local function length(suffix) return ask("LLEN", prefix .. suffix) or 0 end
  local function size(suffix) return ask("ZCARD", prefix .. suffix) or 0 end
  replies[q] = { length("wait") + length("paused") + size("prioritized"), size("delayed"), length("active"), size("completed"), size("failed") }
end
return replies
