--[[
  Adds a message with a priority or a delay to a queue, with BullMQ's own script for its kind. A message whose id is already there is left
  as it is.

  Reads of the script: now
]]
--- @include addStandardJob
--- @include addDelayedJob
--- @include addPrioritizedJob

-- Adds one message; delay in ms, 0 for none.
local function addByBullmq(prefix, id, name, message, priority, delay)
  local function key(suffix) return prefix .. suffix end
  local call = cmsgpack.pack({ prefix, id, name, now })
  local options = { jobId = id, attempts = 0 }
  if delay > 0 then options.delay = delay end
  if priority > 0 then options.priority = priority end
  if delay > 0 then
    return addDelayedJob(
      { key("marker"), key("meta"), key("id"), key("delayed"), key("completed"), key("events") },
      { call, message, cmsgpack.pack(options) })
  end
  if priority > 0 then
    return addPrioritizedJob(
      { key("marker"), key("meta"), key("id"), key("prioritized"), key("delayed"), key("completed"), key("active"), key("events"),
        key("pc") },
      { call, message, cmsgpack.pack(options) })
  end
  return addStandardJob(
    { key("wait"), key("paused"), key("meta"), key("id"), key("completed"), key("delayed"), key("active"), key("events"), key("marker") },
    { call, message, cmsgpack.pack(options) })
end
