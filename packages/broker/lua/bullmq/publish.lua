--[[
  Adds messages without priority and delay to their queues.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  then for each queue how many messages follow, and for each of these its id, the name of its task, and the message, encoded

  Returns { m, why } for each message that was not added, m counted over all queues
]]
local AddBatch = require("bullmq/adding/add-batch")
local now = ARGV[1]

local refused = {}
local at, before = 2, 0
for _, prefix in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  local ok, reply = pcall(AddBatch.add, prefix, ARGV, at, count, now)
  if not ok then
    AddBatch.takeBack()
    local why = type(reply) == "table" and reply.err or tostring(reply)
    -- It concerns the whole call, of which nothing was written.
    if string.find(why, "OOM", 1, true) or string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
    for m = before + 1, before + count do refused[#refused + 1] = { m, why } end
  else
    for _, m in ipairs(reply) do refused[#refused + 1] = { before + m, "WRONGTYPE Operation against a key holding the wrong kind of value" } end
  end
  at, before = at + 1 + 3 * count, before + count
end
return refused
