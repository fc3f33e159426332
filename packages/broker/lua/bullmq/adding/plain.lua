--[[
  Adds messages without priority and delay to a queue: in few commands, what BullMQ's addStandardJob writes for them one by one. A message
  whose id is already there is left as it is.

  Reads of the script: call, now
]]
-- Adds the `count` messages behind source[at], three fields each: id, name of the task, the encoded message. What is only read comes first, then INCRBY: a full Redis refuses it, as it refuses a script's
-- first write and no later one, so all is done or nothing. A job follows upon its place in `wait`: whatever is there counts as sent.
local function addPlain(prefix, source, at, count)
  local events, meta = prefix .. "events", prefix .. "meta"
  local keys, ids, positions = {}, {}, {}
  for m = 1, count do keys[m] = prefix .. source[at + 3 * m - 2] end
  local none = call("EXISTS", unpack(keys)) == 0
  for m = 1, count do
    local id = source[at + 3 * m - 2]
    if not positions[id] and (none or call("EXISTS", keys[m]) == 0) then
      positions[id] = m
      ids[#ids + 1] = id
    end
  end
  local settings = call("HMGET", meta, "opts.maxLenEvents", "paused", "concurrency")
  local longest = settings[1] or "10000"
  local heldBack = settings[2] or settings[3] and call("LLEN", prefix .. "active") >= tonumber(settings[3])

  call("INCRBY", prefix .. "id", count)
  if not settings[1] then call("HSET", meta, "opts.maxLenEvents", longest) end
  if #ids > 0 then call("LPUSH", prefix .. "wait", unpack(ids)) end
  for id, m in pairs(positions) do
    call("HSET", keys[m], "name", source[at + 3 * m - 1], "data", source[at + 3 * m], "opts", '{"jobId":"' .. id .. '","attempts":0}',
      "timestamp", now, "delay", "0", "priority", "0")
  end
  if #ids > 0 and not heldBack then call("ZADD", prefix .. "marker", "0", "0") end
  for m = 1, count do
    local id = source[at + 3 * m - 2]
    if positions[id] == m then
      call("XADD", events, "*", "event", "added", "jobId", id, "name", source[at + 3 * m - 1])
      call("XADD", events, "*", "event", "waiting", "jobId", id)
    else
      call("XADD", events, "*", "event", "duplicated", "jobId", id)
    end
  end
  call("XTRIM", events, "MAXLEN", "~", longest)
end
