--[[
  What follows upon the end of a call of a flow: found out first, then done. What Redis keeps of a flow while it lasts:

    <flow>            hash
      left            how many calls have not ended; there once the flow has begun
      starting        "1" until what it begins with was sent
      calls           how many it has
      added           the first call that was added to a group by one of its members; absent while there is none
      a<n>            what is known of call n, which was added, as long as the flow lasts: { id, task, queue, places }
      +<id>           number of the call with this id, which was added
      off             "1" when all of it was called off: what is added is revoked, too
      resent          "1" when its messages may have been sent before, or called off: whoever takes one looks for a result first
      limit           longest value that is passed on, bytes
      expires, to     time to live, ms, and reply channel of the results of calls that do not run
      c<n>            call n until it is sent: its head, a line feed, its message
      j<n>, b<n>      join n until all has come: { id, size, partial, next }; bytes of its values so far
      v<n>            a value that the backlog needs
      m<n>            a mishap, JSON
    <flow>:sent, <flow>:done
                      bitmaps of the calls that were sent, unless others run in their place, and of those that have ended
    <flow>:<n>        hash: what has come to join n, by slot: "+" and a value, "-" and the number of a mishap, or "=" and that if what failed stands before the group
    <flow>:backlog    list of calls that are to be sent, each with the number of its value; "- n" when that is not needed any more
    <flow>:doom       list of what is to fail or to be dropped: "call n m e f", "calls n n m e f" (with mishap m; e: joins whose groups it stands before; f: the call that
                      failed, and ":" and the number of the mishap that error links get, if that is another; "" if it is the call itself, behind a group), "drop n", "join n"

  The head of a call: { queue, id, task, priority, takesValue, from, countdown, lifetime, eta, resent, places, standsFor, enters }.
  An ending says how something came out: it has a value (JSON), or a mishap and the joins before whose groups that happened, or it starts; or nothing, and then what follows is
  dropped. With a mishap, `by` is the call that failed, of the flow `of`, and `told` what error links get instead of the mishap; a join that has failed has none of these: the
  calls behind it are those that fail.
  What fails without having run is left to flow/doom: its records have to be stored before the flow forgets it, perhaps on another server.

  Reads of the script: call, now, flowKeys and queueKeys (what the keys of flows and of queues start with), flowIndex
]]
--- @include bullmq/flow/sending

local dropped = {}

local function newPlan()
  openStored()
  return { flows = {}, work = {}, ended = {}, sent = {}, doom = {} }
end

local function flowIn(plan, id)
  local flow = plan.flows[id]
  if flow ~= nil then return flow end
  local key = flowKeys .. id
  local head = Stored.ask("HMGET", key, "left", "resent", "limit", "expires", "to", "calls")
  local left, limit, calls = tonumber(head and head[1] or nil), tonumber(head and head[3] or nil), tonumber(head and head[6] or nil)
  flow = Stored.isIndex(left) and limit and Stored.isIndex(calls)
    and { id = id, key = key, left = left, resent = head[2], limit = limit, expires = head[4], to = head[5] or "", calls = calls, joins = {} } or false
  plan.flows[id] = flow
  return flow
end

local function push(plan, flow, targets, ending)
  for at = 1, Stored.targets(flow, targets) do plan.work[#plan.work + 1] = { flow, targets[at], ending } end
end

-- The ending as it is seen at a place of the call: in another flow than that of what failed, the call at that place is the one that failed.
local function endingAt(place, ending)
  if not ending.mishap or ending.of == place.flow then return ending end
  return { mishap = ending.mishap, by = place.call, of = place.flow, told = ending.told }
end

-- A call that stands at these places has ended; `unsent` if it has not run.
local function leave(plan, places, ending, unsent)
  Stored.eachPlace(places, function(place)
    local flow = flowIn(plan, place.flow)
    if flow and Stored.has(flow, place.call) and call("GETBIT", flow.key .. ":done", place.call) == 0 then
      plan.ended[#plan.ended + 1] = { flow, place.call, unsent }
      push(plan, flow, place.next, endingAt(place, ending))
    end
  end)
end

local function doom(plan, flow, ending, ...)
  plan.doom[#plan.doom + 1] = { flow = flow, ending = ending, words = { ... } }
end

-- An error link is told of the failures of the calls from `first` to `last`, or of all.
local function visitErrorLink(plan, flow, number, first, last, ending)
  local isTold = ending.mishap and (not first or (ending.by and ending.by >= first and ending.by <= last))
  if isTold then plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = ending.told or ending.mishap }
  else doom(plan, flow, dropped, "drop", number) end
end

local function visitCalls(plan, flow, kind, ending, first, last)
  local value = ending.value
  if value or ending.starts then
    -- What they say is read when they are sent: there may be thousands.
    for number = first, last do plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = value } end
  elseif ending.mishap and (kind == "step" or kind == "steps") then
    if first > last then return end
    if first == last then doom(plan, flow, ending, "call", first) else doom(plan, flow, ending, "calls", first, last) end
  else
    for number = first, last do doom(plan, flow, dropped, "drop", number) end
  end
end

local function joinIn(flow, number)
  local join = flow.joins[number]
  if join ~= nil then return join end
  local text, bytes = unpack(call("HMGET", flow.key, "j" .. number, "b" .. number))
  join = text and Stored.decode(text)
  join = join and Stored.isIndex(join.size) and type(join.next) == "table" and join or false
  if join then join.filled, join.mishaps, join.count, join.bytes = {}, {}, call("HLEN", flow.key .. ":" .. number), tonumber(bytes) or 2 end
  flow.joins[number] = join
  return join
end

-- All that has come to a join of which all has come, in the order of its slots.
local function entriesOf(flow, number, join)
  local entries = {}
  for first = 0, join.size - 1, 1000 do
    local slots = {}
    for slot = first, math.min(first + 999, join.size - 1) do slots[#slots + 1] = slot end
    local stored = call("HMGET", flow.key .. ":" .. number, unpack(slots))
    for i, slot in ipairs(slots) do entries[#entries + 1] = join.filled[slot] or stored[i] or "" end
  end
  return entries
end

-- How a join comes out whose slots are all filled; nil when somebody has to say first in which words it fails.
local function endingOf(flow, number, join)
  local values, failed, before = {}, 0, nil
  for i, entry in ipairs(entriesOf(flow, number, join)) do
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
  if before and failed == join.size then return { mishap = join.mishaps[before] or call("HGET", flow.key, "m" .. before) } end
  if (failed == 0 or join.partial) and join.bytes <= flow.limit then return { value = "[" .. table.concat(values, ",") .. "]" } end
  return nil
end

local function close(plan, flow, join, ending)
  join.closed = true
  if ending then push(plan, flow, join.next, ending) end
end

local function visitSlot(plan, flow, number, slot, ending)
  local join = joinIn(flow, number)
  if not join or join.closed or slot >= join.size then return end
  if not ending.value and not ending.mishap then return close(plan, flow, join, dropped) end
  if join.filled[slot] or call("HEXISTS", flow.key .. ":" .. number, slot) == 1 then return end
  if ending.value then
    join.bytes = join.bytes + #ending.value + 1
    -- Beyond the limit nobody will get them.
    join.filled[slot] = "+" .. (join.bytes <= flow.limit and ending.value or "null")
  else
    local before = ending.enters and ending.enters[number]
    local kept = tostring(keepText(flow, "m", ending.mishap))
    join.mishaps[kept] = ending.mishap
    join.filled[slot] = (before and "=" or "-") .. kept
  end
  join.count = join.count + 1
  if join.count < join.size then return end
  local out = endingOf(flow, number, join)
  if out and out.mishap then out.enters, out.by, out.of, out.told = ending.enters, ending.by, ending.of, ending.told end
  if out then return close(plan, flow, join, out) end
  -- It stays as it is until the words are there.
  doom(plan, flow, dropped, "join", number)
end

local function openJoin(plan, flow, number, ending)
  local join = joinIn(flow, number)
  if join and not join.closed and join.size == 0 then close(plan, flow, join, (ending.value or ending.starts) and { value = "[]" } or ending) end
end

-- What a target asks for, if it is one of the flow's.
local function visit(plan, flow, target, ending)
  if type(target) ~= "table" then return end
  local kind, number, third, fourth = target[1], target[2], target[3], target[4]
  if kind == "slot" and Stored.isIndex(number) and Stored.isIndex(third) then visitSlot(plan, flow, number, third, ending)
  elseif kind == "open" and Stored.isIndex(number) then openJoin(plan, flow, number, ending)
  elseif kind == "error" and Stored.has(flow, number) and Stored.isRangeOrNone(third, fourth) then visitErrorLink(plan, flow, number, third, fourth, ending)
  elseif kind == "steps" then visitCalls(plan, flow, kind, ending, Stored.range(flow, number, third))
  elseif (kind == "step" or kind == "link") and Stored.has(flow, number) then visitCalls(plan, flow, kind, ending, number, number) end
end

-- Follows all that is to be done from where the plan begins.
local function walk(plan)
  local at = 1
  while plan.work[at] do
    local flow, target, ending = unpack(plan.work[at])
    plan.work[at] = false
    at = at + 1
    visit(plan, flow, target, ending)
  end
end

local function removeFlow(flow)
  for _, field in ipairs(call("HKEYS", flow.key)) do
    if string.sub(field, 1, 1) == "j" then call("DEL", flow.key .. ":" .. string.sub(field, 2)) end
  end
  call("DEL", flow.key, flow.key .. ":sent", flow.key .. ":done", flow.key .. ":backlog", flow.key .. ":doom")
  call("ZREM", flowIndex, flow.id)
end

local function writeJoins(flow)
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

local function writeDoom(plan)
  for _, one in ipairs(plan.doom) do
    local words, mishap, enters = one.words, one.ending.mishap, {}
    if mishap then
      for join in pairs(one.ending.enters or {}) do enters[#enters + 1] = join end
      local n, told = #words, one.ending.told
      words[n + 1], words[n + 2] = keepText(one.flow, "m", mishap), table.concat(enters, ",")
      words[n + 3] = (one.ending.by or "") .. (told and ":" .. keepText(one.flow, "m", told) or "")
    end
    call("RPUSH", one.flow.key .. ":doom", table.concat(words, " "))
  end
end

local function isBehind(flow)
  return call("EXISTS", flow.key .. ":backlog", flow.key .. ":doom") > 0
end

-- Carries a plan out. What is sent comes first: when that fails, it is found out anew. Gives the flows with something left to do.
local function carryOut(plan)
  sendAll(keepBacklog(plan.sent))
  writeDoom(plan)
  for _, flow in pairs(plan.flows) do
    if flow then writeJoins(flow) end
  end
  for _, one in ipairs(plan.ended) do
    local flow, number, unsent = unpack(one)
    if unsent then call("HDEL", flow.key, "c" .. number) end
    if call("SETBIT", flow.key .. ":done", number, 1) == 0 then flow.left = call("HINCRBY", flow.key, "left", -1) end
  end
  local behind = {}
  for id, flow in pairs(plan.flows) do
    if flow then
      if flow.left == 0 then
        removeFlow(flow)
      else
        call("ZADD", flowIndex, now, id)
        if (#plan.sent > 1 or #plan.doom > 0) and isBehind(flow) then behind[#behind + 1] = id end
      end
    end
  end
  return behind
end

-- Does what follows upon the end of the call at `places`, JSON. Gives the flows with something left to do.
local function continue(places, ending)
  local plan = newPlan()
  leave(plan, cjson.decode(places), ending)
  walk(plan)
  return carryOut(plan)
end

-- Others run in the place of a call: it ends when they do.
local function replace(places)
  local plan = newPlan()
  Stored.eachPlace(cjson.decode(places), function(place)
    local flow = flowIn(plan, place.flow)
    if flow and Stored.has(flow, place.call) then call("SETBIT", flow.key .. ":sent", place.call, 0) end
  end)
end
