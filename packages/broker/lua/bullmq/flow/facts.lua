--[[
  What flows say of their calls, for all flows of a take at once.

  ARGV[f]       key of flow f

  Returns for each flow its fields edges and odd; neither where its key holds something of another kind
]]
local replies = {}
for f, key in ipairs(ARGV) do
  local facts = redis.pcall("HMGET", key, "edges", "odd")
  if facts.err and not string.find(facts.err, "WRONGTYPE", 1, true) then return facts end
  replies[f] = facts.err and {} or facts
end
return replies
