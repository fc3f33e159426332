-- Adds a message with a priority or a delay to a queue, with BullMQ's own script for its kind. A message whose id is already there is left as it is.
local wholly = require("parts/wholly")

-- Adds one message whole or not at all; delay in ms, 0 for none.
return function(prefix, id, name, message, priority, delay, now)
  local function key(suffix) return prefix .. suffix end
  local packed = cmsgpack.pack({ prefix, id, name, now })
  local options = { jobId = id, attempts = 0 }
  if delay > 0 then options.delay = delay end
  if priority > 0 then options.priority = priority end
  return wholly(function(whole)
    -- What could not be taken back then. What is no job makes it fail: it would count as sent.
    local unsent = redis.pcall("HGET", key(id), "unsent")
    if unsent == "1" then redis.call("DEL", key(id)) end
    if type(unsent) == "table" and string.find(unsent.err, "WRONGTYPE", 1, true) then error(unsent, 0) end
    if delay > 0 then
      return require("addDelayedJob")(
        { key("marker"), key("meta"), key("id"), key("delayed"), key("completed"), key("events") },
        { packed, message, cmsgpack.pack(options) }, whole)
    end
    if priority > 0 then
      return require("addPrioritizedJob")(
        { key("marker"), key("meta"), key("id"), key("prioritized"), key("delayed"), key("completed"), key("active"), key("events"),
          key("pc") },
        { packed, message, cmsgpack.pack(options) }, whole)
    end
    return require("addStandardJob")(
      { key("wait"), key("paused"), key("meta"), key("id"), key("completed"), key("delayed"), key("active"), key("events"), key("marker") },
      { packed, message, cmsgpack.pack(options) }, whole)
  end)
end
