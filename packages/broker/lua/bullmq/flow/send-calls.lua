-- Sends calls of flows whose turn has come: at once, or, where that would hold Redis for long, from a backlog. For what is kept of a flow see flow/stored-flow.
local call = redis.call
local StoredFlow, keepText = require("bullmq/flow/stored-flow"), require("bullmq/flow/keep-text")
local SendCalls = {}

-- Most that is sent at once: messages, and bytes of the values put into them.
local mostSent = { calls = 100, bytes = 4 * 1024 * 1024 }

-- The message with a value before its arguments, which begin at `from`.
local function withValue(message, from, value)
  local rest = string.sub(message, from)
  return string.sub(message, 1, from - 1) .. value .. (string.sub(rest, 1, 1) == "]" and "" or ",") .. rest
end

-- The message of a call whose turn has come, and its delay in ms.
local function sealed(flow, head, message, value)
  local times, delay, now = "", head.countdown or 0, tonumber(flow.space.now)
  if value and head.takesValue then message = withValue(message, head.from, value) end
  if delay > 0 then times = '"eta":' .. string.format("%.0f", now + delay) .. "," end
  if head.lifetime then times = times .. '"expires":' .. string.format("%.0f", now + head.lifetime) .. "," end
  if times ~= "" then message = "{" .. times .. string.sub(message, 2) end
  if flow.resent and not head.resent then message = string.sub(message, 1, -2) .. ',"resent":true}' end
  if head.eta then delay = math.max(delay, math.ceil(head.eta - now)) end
  return message, math.max(0, delay)
end

-- What has ended under this id makes room: whoever takes the message finds its result, and goes on.
local function makeRoom(prefix, id)
  if not call("HGET", prefix .. id, "finishedOn") then return end
  call("DEL", prefix .. id, prefix .. id .. ":logs")
  call("ZREM", prefix .. "completed", id)
  call("ZREM", prefix .. "failed", id)
end

-- Sends one call at once, or puts it into the list of its queue if it is plain.
local function sendOne(one, plain)
  local flow = one.flow
  local head, message = StoredFlow.callIn(flow, one.number)
  if not head then return end
  one.isKept = true
  local delay
  message, delay = sealed(flow, head, message, one.value)
  local prefix = flow.space.queues .. head.queue .. ":"
  if flow.resent or head.resent then makeRoom(prefix, head.id) end
  if head.priority > 0 or delay > 0 then
    return require("bullmq/adding/add-single")(prefix, head.id, head.task, message, head.priority, delay, flow.space.now)
  end
  local list = plain[prefix] or {}
  plain[prefix] = list
  list[#list + 1], list[#list + 2], list[#list + 3] = head.id, head.task, message
end

-- Sends calls that were not sent before: { flow, number, value } each. Plain ones are sent in batches, in their order. `now`, ms.
function SendCalls.send(now, sends)
  local plain = {}
  for _, one in ipairs(sends) do sendOne(one, plain) end
  for prefix, list in pairs(plain) do require("bullmq/adding/add-batch").allOrNone(prefix, list, 0, #list / 3, now) end
  for _, one in ipairs(sends) do
    if one.isKept then
      call("SETBIT", one.flow.key .. ":sent", one.number, 1)
      call("HDEL", one.flow.key, "c" .. one.number)
    end
  end
end

-- Sends a batch of the backlog.
function SendCalls.sendBacklog(flow)
  local key, sends, over, values, bytes, taken = flow.key .. ":backlog", {}, {}, {}, 0, 0
  for _, entry in ipairs(call("LRANGE", key, 0, mostSent.calls - 1)) do
    local number, of = string.match(entry, "^(%S+) (%d*)$")
    if number == "-" then
      over[#over + 1] = "v" .. of
    elseif number and StoredFlow.has(flow, tonumber(number)) then
      if of ~= "" and not values[of] then values[of] = call("HGET", flow.key, "v" .. of) end
      bytes = bytes + (values[of] and #values[of] or 0)
      if bytes > mostSent.bytes and #sends > 0 then break end
      sends[#sends + 1] = { flow = flow, number = tonumber(number), value = values[of] }
    end
    taken = taken + 1
  end
  SendCalls.send(flow.space.now, sends)
  call("LTRIM", key, taken, -1)
  if #over > 0 then call("HDEL", flow.key, unpack(over)) end
end

-- Puts what is too much to be sent at once into the backlogs of its flows. Returns the rest.
function SendCalls.keepBacklog(sends)
  local bytes = 0
  for _, one in ipairs(sends) do bytes = bytes + (one.value and #one.value or 0) end
  if #sends <= mostSent.calls and (bytes <= mostSent.bytes or #sends == 1) then return sends end
  local entries, kept = {}, {}
  local function add(flow, entry)
    local list = entries[flow] or {}
    entries[flow] = list
    list[#list + 1] = entry
  end
  for _, one in ipairs(sends) do
    local of = one.value and keepText(one.flow, "v", one.value) or ""
    if of ~= "" then kept[of] = one.flow end
    add(one.flow, one.number .. " " .. of)
  end
  for of, flow in pairs(kept) do add(flow, "- " .. of) end
  for flow, list in pairs(entries) do
    for first = 1, #list, 1000 do call("RPUSH", flow.key .. ":backlog", unpack(list, first, math.min(first + 999, #list))) end
  end
  return {}
end

return SendCalls
