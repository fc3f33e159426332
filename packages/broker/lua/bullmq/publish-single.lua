--[[
  Adds messages with a priority or a delay to their queues.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  then for each queue how many messages follow, and for each of these
    id, name of the task, the encoded message
    priority, 0 (first) to 9
    delay, ms; 0 for none

  Returns { m, why } for each message that was not added, m counted over all queues
]]
local addSingle = require("bullmq/adding/add-single")
local now = ARGV[1]

local refused = {}
local at, position = 2, 0
for _, prefix in ipairs(KEYS) do
  local first, last = at + 1, at + 5 * tonumber(ARGV[at])
  for m = first, last, 5 do
    position = position + 1
    local ok, reply = pcall(addSingle, prefix, ARGV[m], ARGV[m + 1], ARGV[m + 2], tonumber(ARGV[m + 3]), tonumber(ARGV[m + 4]), now)
    if not ok then
      local why = type(reply) == "table" and reply.err or tostring(reply)
      -- A replica: nothing was written, and the whole call is for the primary.
      if string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
      refused[#refused + 1] = { position, why }
    end
  end
  at = last + 1
end
return refused
