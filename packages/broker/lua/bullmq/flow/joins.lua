-- The joins of a flow: each waits until all of its slots are filled.
local call = redis.call
local StoredFlow, FlowPlan, keepText = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/keep-text")
local Joins = {}

-- A join of a flow; false if it has ended, or cannot be read.
function Joins.read(flow, number)
  local join = flow.joins[number]
  if join ~= nil then return join end
  local text, bytes = unpack(call("HMGET", flow.key, "j" .. number, "b" .. number))
  join = text and StoredFlow.decode(text)
  join = join and StoredFlow.isIndex(join.size) and type(join.next) == "table" and join or false
  if join then join.filled, join.failures, join.count, join.bytes = {}, {}, call("HLEN", flow.key .. ":" .. number), tonumber(bytes) or 2 end
  flow.joins[number] = join
  return join
end

-- All that has come to a join of which all has come, in the order of its slots.
function Joins.entries(flow, number, join)
  local entries = {}
  for first = 0, join.size - 1, 1000 do
    local slots = {}
    for slot = first, math.min(first + 999, join.size - 1) do slots[#slots + 1] = slot end
    local stored = call("HMGET", flow.key .. ":" .. number, unpack(slots))
    for i, slot in ipairs(slots) do entries[#entries + 1] = join.filled[slot] or stored[i] or "" end
  end
  return entries
end

-- How a join comes out whose slots are all filled; nil when its words of failure have to be found first.
local function endingOf(flow, number, join)
  local values, failed, before = {}, 0, nil
  for i, entry in ipairs(Joins.entries(flow, number, join)) do
    local mark, rest = string.sub(entry, 1, 1), string.sub(entry, 2)
    if mark == "+" then
      values[i] = rest
    else
      values[i] = "null"
      failed = failed + 1
      if mark == "=" and before ~= false then before = rest else before = false end
    end
  end
  -- None of them has run: what failed stands before the group.
  if before and failed == join.size then return { failure = join.failures[before] or call("HGET", flow.key, "f" .. before) } end
  if (failed == 0 or join.partial) and join.bytes <= flow.maxBytes then return { value = "[" .. table.concat(values, ",") .. "]" } end
  return nil
end

-- Ends a join, and has its targets visited.
function Joins.close(plan, flow, join, ending)
  join.closed = true
  FlowPlan.push(plan, flow, join.next, ending)
end

-- Fills a slot; the last one ends the join.
function Joins.visitSlot(plan, flow, number, slot, ending)
  local join = Joins.read(flow, number)
  if not join or join.closed or slot >= join.size then return end
  if not ending.value and not ending.failure then return Joins.close(plan, flow, join, FlowPlan.dropped) end
  if join.filled[slot] or call("HEXISTS", flow.key .. ":" .. number, slot) == 1 then return end
  if ending.value then
    join.bytes = join.bytes + #ending.value + 1
    -- Beyond the limit nobody will get them.
    join.filled[slot] = "+" .. (join.bytes <= flow.maxBytes and ending.value or "null")
  else
    local before = ending.startsMembersOf and ending.startsMembersOf[number]
    local kept = tostring(keepText(flow, "f", ending.failure))
    join.failures[kept] = ending.failure
    join.filled[slot] = (before and "=" or "-") .. kept
  end
  join.count = join.count + 1
  if join.count < join.size then return end
  local out = endingOf(flow, number, join)
  if out and out.failure then out.startsMembersOf, out.by, out.of, out.told = ending.startsMembersOf, ending.by, ending.of, ending.told end
  if out then return Joins.close(plan, flow, join, out) end
  -- It stays as it is until the words are there.
  FlowPlan.cascade(plan, flow, FlowPlan.dropped, "join", number)
end

-- Ends a join of no slots.
function Joins.visitEmpty(plan, flow, number, ending)
  local join = Joins.read(flow, number)
  if join and not join.closed and join.size == 0 then Joins.close(plan, flow, join, (ending.value or ending.starts) and { value = "[]" } or ending) end
end

-- Writes what has come to the joins of a flow, and removes those that have ended.
function Joins.write(flow)
  for number, join in pairs(flow.joins) do
    if join and join.closed then
      call("HDEL", flow.key, "j" .. number, "b" .. number)
      call("DEL", flow.key .. ":" .. number)
    elseif join then
      for slot, entry in pairs(join.filled) do call("HSET", flow.key .. ":" .. number, slot, entry) end
      call("HSET", flow.key, "b" .. number, join.bytes)
    end
  end
end

return Joins
