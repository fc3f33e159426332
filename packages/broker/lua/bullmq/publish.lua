--[[
  Adds messages to their queues, each with BullMQ's own script for its kind. A message whose id is already there is left as it is.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       now, ms
  ARGV[6m-4]    queue of message m, an index into KEYS
  ARGV[6m-3]    id
  ARGV[6m-2]    name of the task
  ARGV[6m-1]    the encoded message
  ARGV[6m]      priority, 0 (first) to 9
  ARGV[6m+1]    delay, ms; 0 for none

  Returns for each message: 0 added, or why it was not
]]
--- @include addStandardJob
--- @include addDelayedJob
--- @include addPrioritizedJob

local now = ARGV[1]

local function add(prefix, id, name, message, priority, delay)
  local function key(suffix) return prefix .. suffix end
  local call = cmsgpack.pack({ prefix, id, name, now })
  if delay > 0 then
    return addDelayedJob(
      { key("marker"), key("meta"), key("id"), key("delayed"), key("completed"), key("events") },
      { call, message, cmsgpack.pack({ jobId = id, attempts = 0, delay = delay, priority = priority }) })
  end
  local options = cmsgpack.pack({ jobId = id, attempts = 0, priority = priority })
  if priority > 0 then
    return addPrioritizedJob(
      { key("marker"), key("meta"), key("id"), key("prioritized"), key("delayed"), key("completed"), key("active"), key("events"), key("pc") },
      { call, message, options })
  end
  return addStandardJob(
    { key("wait"), key("paused"), key("meta"), key("id"), key("completed"), key("delayed"), key("active"), key("events"), key("marker") },
    { call, message, options })
end

local replies = {}
for m = 1, (#ARGV - 1) / 6 do
  local at = 6 * m - 4
  local ok, reply = pcall(add, KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]))
  if ok then
    replies[m] = 0
  else
    local why = type(reply) == "table" and reply.err or tostring(reply)
    -- A replica: nothing was written, and the whole call is for the primary.
    if string.find(why, "READONLY", 1, true) then return redis.error_reply(why) end
    replies[m] = why
  end
end
return replies
