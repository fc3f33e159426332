--[[
  Reads what flows say of their calls, for all flows of a take at once.

  ARGV[f]       key of flow f

  Returns for each flow its fields callGroups and customIds; neither where its key holds a value of another type. Of a flow that is kept in another layout it returns that text
  alone, as the third.
]]
local StoredFlow = require("bullmq/flow/stored-flow")
local replies = {}
for f, key in ipairs(ARGV) do
  local fields = StoredFlow.ask("HMGET", key, "callGroups", "customIds", "remaining", "layout")
  local otherLayout = fields and StoredFlow.otherLayout(key, string.match(key, "[^:]*$"), fields[3], fields[4])
  replies[f] = otherLayout and { false, false, otherLayout } or fields and { fields[1], fields[2] } or {}
end
return replies
