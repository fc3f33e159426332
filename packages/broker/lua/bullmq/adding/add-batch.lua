-- Adds messages without priority and delay to a queue: in few commands, what BullMQ's addStandardJob writes for them one by one. A message whose id is already there is left as it is.
local call = redis.call

-- What the last call has begun to add: prefix, ids, keys, and positions of the ids among the keys; and whether it is in `wait`.
local begunToAdd, isPushed

-- Takes that back. What cannot be taken out of `wait` is sent; what cannot be deleted says that it is not.
local function takeBack()
  if not begunToAdd then return end
  local prefix, ids, keys, positions = unpack(begunToAdd)
  for _, id in ipairs(ids) do
    local key = keys[positions[id]]
    if not isPushed or type(redis.pcall("LREM", prefix .. "wait", 1, id)) == "number" then
      if type(redis.pcall("DEL", key)) ~= "number" then redis.pcall("HSET", key, "unsent", "1") end
    end
  end
end

-- Adds the `count` messages behind source[at], three fields each: id, name of the task, the encoded message. What is only read comes first, then INCRBY: a full Redis refuses it, as it
-- refuses a script's first write and no later one. If it fails, its caller takes back what was added: all is done or nothing. A job that is there counts as sent, unless it says that it is not. What is there and no job cannot be
-- sent: returns the positions of these.
local function add(prefix, source, at, count, now)
  begunToAdd, isPushed = nil, false
  local events, meta = prefix .. "events", prefix .. "meta"
  local keys, ids, positions, taken, spoilt = {}, {}, {}, {}, {}
  for m = 1, count do keys[m] = prefix .. source[at + 3 * m - 2] end
  local none = call("EXISTS", unpack(keys)) == 0
  for m = 1, count do
    local id = source[at + 3 * m - 2]
    local isNew = none or call("EXISTS", keys[m]) == 0
    local unsent = not isNew and redis.pcall("HGET", keys[m], "unsent")
    if type(unsent) == "table" and string.find(unsent.err, "WRONGTYPE", 1, true) then
      taken[m] = true
      spoilt[#spoilt + 1] = m
    elseif not positions[id] and (isNew or unsent == "1") then
      positions[id] = m
      ids[#ids + 1] = id
    end
  end
  if #spoilt == count then return spoilt end
  local settings = call("HMGET", meta, "opts.maxLenEvents", "paused", "concurrency")
  local longest = settings[1] or "10000"
  local heldBack = settings[2] or settings[3] and call("LLEN", prefix .. "active") >= tonumber(settings[3])

  call("INCRBY", prefix .. "id", count)
  if not settings[1] then call("HSET", meta, "opts.maxLenEvents", longest) end
  begunToAdd = { prefix, ids, keys, positions }
  for id, m in pairs(positions) do
    call("HSET", keys[m], "name", source[at + 3 * m - 1], "data", source[at + 3 * m], "opts", '{"jobId":"' .. id .. '","attempts":0}',
      "timestamp", now, "delay", "0", "priority", "0")
    if not none and type(redis.pcall("HDEL", keys[m], "unsent")) ~= "number" then call("HSET", keys[m], "unsent", "") end
  end
  if #ids > 0 then
    call("LPUSH", prefix .. "wait", unpack(ids))
    isPushed = true
    if not heldBack then call("ZADD", prefix .. "marker", "0", "0") end
  end
  for m = 1, count do
    local id = source[at + 3 * m - 2]
    if positions[id] == m then
      call("XADD", events, "*", "event", "added", "jobId", id, "name", source[at + 3 * m - 1])
      call("XADD", events, "*", "event", "waiting", "jobId", id)
    elseif not taken[m] then
      call("XADD", events, "*", "event", "duplicated", "jobId", id)
    end
  end
  call("XTRIM", events, "MAXLEN", "~", longest)
  return spoilt
end

-- As add, but all or none of them. If it fails, nothing was added; if only some can be sent, it fails.
local function allOrNone(...)
  local ok, reply = pcall(add, ...)
  if ok and #reply == 0 then return end
  takeBack()
  error(ok and { err = "WRONGTYPE Operation against a key holding the wrong kind of value" } or reply, 0)
end

return { takeBack = takeBack, add = add, allOrNone = allOrNone }
