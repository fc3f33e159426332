--[[
  What is to be known of jobs of plain producers before they run.

  KEYS[j]       job j
  ARGV[1]       longest value that is read, in bytes

  Returns for each job: its scheduler, why it is to fail without a run, its options; false for what it lacks, or is too long
]]
local call, longest = redis.call, tonumber(ARGV[1])

local function fieldOf(key, field)
  return call("HSTRLEN", key, field) <= longest and call("HGET", key, field)
end

local replies = {}
for j, key in ipairs(KEYS) do replies[j] = { fieldOf(key, "rjk"), fieldOf(key, "defa"), fieldOf(key, "opts") } end
return replies
