--[[
  What follows upon the end of a call of a flow: found out first, without a write, then done. What Redis keeps of a flow while it lasts:

    <flow>            hash
      left            how many calls have not ended; there once the flow has begun
      resent          "1" when its messages may have been sent before, or called off: whoever takes one looks for a result first
      limit           longest value that is passed on, bytes
      expires, to     time to live, ms, and reply channel of the results of calls that do not run
      c<n>            call n until it is sent: its head, a line feed, its message
      j<n>            join n until all has come: { id, size, partial, next }
      v<n>            a value that the backlog needs
    <flow>:done       bitmap of the calls that have ended
    <flow>:<n>        hash: what has come to join n, by slot: "+" and a value, or "-" and a mishap
    <flow>:backlog    list of calls that are to be sent, each with the number of its value; "- n" when that is not needed any more

  The head of a call: { queue, id, task, priority, takesValue, countdown, lifetime, resent, places, standsFor }.
  An ending says how something came out: it has a value, or a mishap (both JSON), or it starts; or nothing, and then what follows is dropped.

  Reads of the script: call, now, flowKeys and queueKeys (what the keys of flows and of queues start with), flowIndex
]]
--- @include bullmq/adding/plain
--- @include bullmq/adding/by-bullmq

-- Most that is sent at once, messages and bytes of values, so that none holds Redis for long; what is beyond goes to the backlog.
local most = { sent = 100, bytes = 4 * 1024 * 1024 }
local dropped = {}
local nothingKnown = { stored = {}, mishaps = {} }

local function newPlan(known)
  return { known = known, flows = {}, work = {}, ended = {}, sent = {}, doomed = {}, missing = {} }
end

local function flowIn(plan, id)
  local flow = plan.flows[id]
  if flow ~= nil then return flow end
  local key = flowKeys .. id
  local head = call("HMGET", key, "left", "resent", "limit", "expires", "to")
  flow = head[1] and { id = id, key = key, left = tonumber(head[1]), resent = head[2], limit = tonumber(head[3]), expires = head[4], to = head[5] or "", calls = {}, joins = {} } or false
  plan.flows[id] = flow
  return flow
end

local function push(plan, flow, targets, ending)
  for _, target in ipairs(targets) do plan.work[#plan.work + 1] = { flow, target, ending } end
end

-- A call that stands at these places has ended; `unsent` if it has not run.
local function leave(plan, places, ending, unsent)
  for _, place in ipairs(places) do
    local flow = flowIn(plan, place.flow)
    if flow and call("GETBIT", flow.key .. ":done", place.call) == 0 then
      plan.ended[#plan.ended + 1] = { flow, place.call, unsent }
      push(plan, flow, place.next, ending)
    end
  end
end

-- Head and message of a call that is not sent yet.
local function callIn(flow, number)
  local text = call("HGET", flow.key, "c" .. number)
  if not text then return nil end
  local border = string.find(text, "\n", 1, true)
  return cjson.decode(string.sub(text, 1, border - 1)), string.sub(text, border + 1)
end

local function visitCall(plan, flow, kind, number, ending)
  if flow.calls[number] then return end
  flow.calls[number] = true
  local value
  if kind == "error" then value = ending.mishap else value = ending.value end
  if value or ending.starts then
    -- What it says is read when it is sent: there may be thousands.
    plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = value }
    return
  end
  local head = callIn(flow, number)
  if not head then return end
  if kind == "step" and ending.mishap then
    plan.doomed[#plan.doomed + 1] = { flow = flow, head = head, mishap = ending.mishap }
    leave(plan, head.places, ending, true)
  else
    leave(plan, head.places, dropped, true)
  end
end

local function joinIn(flow, number)
  local join = flow.joins[number]
  if join ~= nil then return join end
  local text = call("HGET", flow.key, "j" .. number)
  join = text and cjson.decode(text) or false
  if join then join.filled, join.count = {}, call("HLEN", flow.key .. ":" .. number) end
  flow.joins[number] = join
  return join
end

-- All that has come to a join, in the order of its slots.
local function entriesOf(flow, number, join)
  local entries = {}
  for first = 0, join.size - 1, 1000 do
    local slots = {}
    for slot = first, math.min(first + 999, join.size - 1) do slots[#slots + 1] = slot end
    local stored = call("HMGET", flow.key .. ":" .. number, unpack(slots))
    for i, slot in ipairs(slots) do entries[#entries + 1] = join.filled[slot] or stored[i] end
  end
  return entries
end

-- How a join comes out whose slots are all filled; nil when somebody has to say first in which words it fails.
local function endingOf(plan, flow, number, join)
  local values, mishaps, bytes = {}, {}, 2
  for i, entry in ipairs(entriesOf(flow, number, join)) do
    local rest = string.sub(entry, 2)
    if string.sub(entry, 1, 1) == "+" then
      values[i] = rest
    else
      values[i] = "null"
      mishaps[#mishaps + 1] = rest
    end
    bytes = bytes + #values[i] + 1
  end
  local fails = #mishaps > 0 and not join.partial
  if not fails and bytes <= flow.limit then return { value = "[" .. table.concat(values, ",") .. "]" } end
  if fails and #mishaps == join.size and join.size > 1 then
    local same = true
    for _, mishap in ipairs(mishaps) do same = same and mishap == mishaps[1] end
    -- What failed stands before them all: they never ran.
    if same then return { mishap = mishaps[1] } end
  end
  local words = plan.known.mishaps[flow.id .. "/" .. number]
  if words then return { mishap = words } end
  local named = {}
  for i = 1, math.min(#mishaps, 100) do named[i] = mishaps[i] end
  plan.missing[#plan.missing + 1] = {
    join = flow.id .. "/" .. number, id = join.id, size = join.size, failed = #mishaps, named = named, bytes = bytes, limit = flow.limit,
  }
  return nil
end

local function close(plan, flow, join, ending)
  join.closed = true
  if ending then push(plan, flow, join.next, ending) end
end

local function visitSlot(plan, flow, number, slot, ending)
  local join = joinIn(flow, number)
  if not join or join.closed then return end
  if not ending.value and not ending.mishap then return close(plan, flow, join, dropped) end
  if join.filled[slot] or call("HEXISTS", flow.key .. ":" .. number, slot) == 1 then return end
  join.filled[slot] = ending.value and "+" .. ending.value or "-" .. ending.mishap
  join.count = join.count + 1
  if join.count == join.size then close(plan, flow, join, endingOf(plan, flow, number, join)) end
end

local function openJoin(plan, flow, number, ending)
  local join = joinIn(flow, number)
  if not join or join.closed then return end
  close(plan, flow, join, (ending.value or ending.starts) and { value = "[]" } or ending)
end

-- Follows all that is to be done from where the plan begins. No recursion: a chain may be long.
local function walk(plan)
  local at = 1
  while plan.work[at] do
    local flow, target, ending = unpack(plan.work[at])
    plan.work[at] = false
    at = at + 1
    local kind, number = target[1], target[2]
    if kind == "slot" then visitSlot(plan, flow, number, target[3], ending)
    elseif kind == "open" then openJoin(plan, flow, number, ending)
    else visitCall(plan, flow, kind, number, ending) end
  end
end

-- What has to be stored and said before the plan can be carried out, as JSON; nil when nothing has.
local function wantedBy(plan)
  local doomed = {}
  for _, one in ipairs(plan.doomed) do
    if not plan.known.stored[one.head.id] then
      local head = one.head
      doomed[#doomed + 1] = {
        id = head.id, task = head.task, queue = head.queue, standsFor = head.standsFor, mishap = one.mishap, expires = one.flow.expires, to = one.flow.to,
      }
    end
  end
  if #doomed == 0 and #plan.missing == 0 then return nil end
  return cjson.encode({ doomed = doomed, missing = plan.missing })
end

local start = '{"bullrush":1,"args":['

-- The message of a call whose turn has come, and its delay in ms.
local function sealed(flow, head, message, value)
  local times, delay = "", head.countdown or 0
  local due = tonumber(now) + delay
  if delay > 0 then times = '"eta":' .. string.format("%.0f", due) .. "," end
  if head.lifetime then times = times .. '"expires":' .. string.format("%.0f", tonumber(now) + head.lifetime) .. "," end
  if value and head.takesValue then
    local rest = string.sub(message, #start + 1)
    message = start .. value .. (string.sub(rest, 1, 1) == "]" and "" or ",") .. rest
  end
  if times ~= "" then message = "{" .. times .. string.sub(message, 2) end
  if flow.resent and not head.resent then message = string.sub(message, 1, -2) .. ',"resent":true}' end
  if head.eta then delay = math.max(delay, math.ceil(head.eta - tonumber(now))) end
  return message, math.max(0, delay)
end

-- Sends one call at once, or puts it into the list of its queue if it is plain.
local function sendOne(one, plain)
  local head, message = callIn(one.flow, one.number)
  if not head then return end
  local delay
  message, delay = sealed(one.flow, head, message, one.value)
  local prefix = queueKeys .. head.queue .. ":"
  if head.priority > 0 or delay > 0 then return addByBullmq(prefix, head.id, head.task, message, head.priority, delay) end
  local list = plain[prefix] or {}
  plain[prefix] = list
  list[#list + 1], list[#list + 2], list[#list + 3] = head.id, head.task, message
end

-- Sends calls that were not sent before: { flow, number, value } each. Those that are plain in lots, in their order.
local function sendAll(sends)
  local plain = {}
  for _, one in ipairs(sends) do sendOne(one, plain) end
  for prefix, list in pairs(plain) do addPlain(prefix, list, 0, #list / 3) end
  for _, one in ipairs(sends) do call("HDEL", one.flow.key, "c" .. one.number) end
end

-- Sends a lot of the backlog; gives how much is left of it.
local function sendBacklog(flow)
  local key, sends, over, values, bytes, taken = flow.key .. ":backlog", {}, {}, {}, 0, 0
  for _, entry in ipairs(call("LRANGE", key, 0, most.sent - 1)) do
    local number, of = string.match(entry, "^(%S+) (%d*)$")
    if number == "-" then
      over[#over + 1] = "v" .. of
    else
      if of ~= "" and not values[of] then values[of] = call("HGET", flow.key, "v" .. of) end
      bytes = bytes + (values[of] and #values[of] or 0)
      if bytes > most.bytes and #sends > 0 then break end
      sends[#sends + 1] = { flow = flow, number = number, value = values[of] }
    end
    taken = taken + 1
  end
  sendAll(sends)
  call("LTRIM", key, taken, -1)
  if #over > 0 then call("HDEL", flow.key, unpack(over)) end
  return call("LLEN", key)
end

-- The number under which a value is kept for the backlog; no other has had it, for what an earlier call left there has others.
local function keepValue(flow, value, numbers)
  local kept = numbers[flow] or {}
  numbers[flow] = kept
  if not kept[value] then
    kept[value] = call("HINCRBY", flow.key, "values", 1)
    call("HSET", flow.key, "v" .. kept[value], value)
  end
  return kept[value]
end

-- Puts what is too much to be sent at once into the backlogs of its flows; gives the rest.
local function keepBacklog(sends)
  local bytes = 0
  for _, one in ipairs(sends) do bytes = bytes + (one.value and #one.value or 0) end
  if #sends <= most.sent and (bytes <= most.bytes or #sends == 1) then return sends end
  local numbers, entries = {}, {}
  local function add(flow, entry)
    local list = entries[flow] or {}
    entries[flow] = list
    list[#list + 1] = entry
  end
  for _, one in ipairs(sends) do add(one.flow, one.number .. " " .. (one.value and keepValue(one.flow, one.value, numbers) or "")) end
  for flow, kept in pairs(numbers) do
    for _, number in pairs(kept) do add(flow, "- " .. number) end
  end
  for flow, list in pairs(entries) do
    for first = 1, #list, 1000 do call("RPUSH", flow.key .. ":backlog", unpack(list, first, math.min(first + 999, #list))) end
  end
  return {}
end

local function removeFlow(flow)
  for _, field in ipairs(call("HKEYS", flow.key)) do
    if string.sub(field, 1, 1) == "j" then call("DEL", flow.key .. ":" .. string.sub(field, 2)) end
  end
  call("DEL", flow.key, flow.key .. ":done", flow.key .. ":backlog")
  call("ZREM", flowIndex, flow.id)
end

local function writeJoins(flow)
  for number, join in pairs(flow.joins) do
    if join and join.closed then
      call("HDEL", flow.key, "j" .. number)
      call("DEL", flow.key .. ":" .. number)
    elseif join then
      for slot, entry in pairs(join.filled) do call("HSET", flow.key .. ":" .. number, slot, entry) end
    end
  end
end

-- Carries a plan out. What is sent comes first: when that fails, it is found out anew. Gives the flows that have a backlog.
local function carryOut(plan)
  sendAll(keepBacklog(plan.sent))
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
        if #plan.sent > 1 and call("EXISTS", flow.key .. ":backlog") == 1 then behind[#behind + 1] = id end
      end
    end
  end
  return behind
end

--[[
  Does what follows upon the end of the call at `places`, or gives as JSON what is wanted first: { doomed, missing }.
    known     what was stored and said of it before: { stored = { id = true }, mishaps = { ["flow/join"] = mishap } }, JSON; "" for nothing
  Gives nil and the flows with a backlog when it is done.
]]
local function continue(places, ending, known)
  local plan = newPlan(known == "" and nothingKnown or cjson.decode(known))
  leave(plan, cjson.decode(places), ending)
  walk(plan)
  local wanted = wantedBy(plan)
  if wanted then return wanted end
  return nil, carryOut(plan)
end
