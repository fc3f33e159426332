-- Takes from queues in their turn: plain messages are reserved first, then popped from each queue in one go, then given their leases.
local call = redis.call

-- How much longer than BullMQ's Workers we wait for what workers of ours did not know when they had it, in ms: it may be meant for those, and they promote whatever is due.
local headStart = 200

-- When the first delayed job of a queue is due for us, ms; nil without any.
local function dueIn(prefix, delayed)
  if not delayed[2] then return nil end
  local due = tonumber(delayed[2]) / 0x1000
  -- What is no job is due: BullMQ's scripts clear it away.
  return redis.pcall("HEXISTS", prefix .. delayed[1], "unknownSince") == 1 and due + headStart or due
end

-- What a queue has for us: a supply of plain jobs, or only jobs that BullMQ's scripts can take.
local function viewOf(request, queue)
  local prefix = KEYS[2 * queue - 1]
  local meta = call("HMGET", prefix .. "meta", "paused", "concurrency", "max")
  local delayed = call("ZRANGE", prefix .. "delayed", 0, 0, "WITHSCORES")
  -- BullMQ promotes none of a time before 1970: it would be looked for without end.
  if delayed[2] and tonumber(delayed[2]) < 0 then call("ZADD", prefix .. "delayed", 0, delayed[1]) end
  local tooLate = tonumber(request.now) + 1
  local isDue = delayed[2] and tonumber(delayed[2]) < tooLate * 0x1000 and dueIn(prefix, delayed) < tooLate
  local unusual = meta[1] or meta[2] or meta[3] or isDue
  return {
    queue = queue, prefix = prefix, unusual = unusual, delayed = delayed, supply = unusual and 0 or call("LLEN", prefix .. "wait"), count = 0,
    popped = false, closed = false,
  }
end

-- A queue of plain jobs has been emptied, and its marker and its delayed jobs are as they were: most queues are, most of the time.
local function closeEmptied(request, reply, view)
  call("ZREMRANGEBYSCORE", view.prefix .. "marker", 0, request.now)
  reply.dry[#reply.dry + 1] = { view.queue, 0, dueIn(view.prefix, view.delayed) or 0, 0 }
end

local function popOnce(view)
  if view.popped then return end
  view.popped = true
  if view.count > 0 then require("bullmq/settle-and-take/take-batch").pop(view) end
end

-- Reserves the next job of a queue for a slot, or takes it with BullMQ's scripts; false when it has none.
local function reserve(request, reply, view, slots)
  if view.count < view.supply then
    view.count = view.count + 1
    slots[#slots + 1] = view
    return true
  end
  popOnce(view)
  if not view.unusual and call("EXISTS", view.prefix .. "prioritized") == 0 then
    view.closed = true
    closeEmptied(request, reply, view)
    return false
  end
  local TakeSingle = require("bullmq/settle-and-take/take-single")
  local delivery, limited = TakeSingle.next(request, view.queue, view.prefix, request.tokens .. ":" .. (#slots + 1))
  if delivery then
    slots[#slots + 1] = delivery
    return true
  end
  view.closed = true
  TakeSingle.close(request, reply, view, limited, dueIn)
  return false
end

-- What `f` returns; nil if it fails, which is noted of the queue.
local function noting(reply, queue, f, ...)
  local ok, given = pcall(f, ...)
  if ok then return given end
  require("bullmq/settle-and-take/take-batch").noteFault(reply, queue, type(given) == "table" and given.err or tostring(given), 0)
  return nil
end

local function reserveAll(request, reply, turns, slots)
  local oneEach, wanted = ARGV[6] == "turns", request.wanted
  local open = true
  while open and #slots < wanted do
    open = false
    for _, view in ipairs(turns) do
      while #slots < wanted and not view.closed do
        local reserved = noting(reply, view.queue, reserve, request, reply, view, slots)
        if reserved == nil then view.closed = true end
        if not reserved then break end
        open = true
        if oneEach then break end
      end
    end
  end
end

-- Takes what is wanted, from the queues whose numbers are in `turns`, in that order.
local function all(request, reply, turns)
  local slots, views, open = {}, {}, {}
  for _, queue in ipairs(turns) do
    if views[queue] == nil then views[queue] = noting(reply, queue, viewOf, request, queue) or false end
    open[#open + 1] = views[queue] or nil
  end
  reserveAll(request, reply, open, slots)
  for _, view in pairs(views) do
    if view and not view.popped then noting(reply, view.queue, popOnce, view) end
  end
  if #slots > 0 then require("bullmq/settle-and-take/take-batch").begin(request, reply, slots) end
end

return { all = all }
