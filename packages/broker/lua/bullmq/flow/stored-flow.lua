--[[
  Reads what is kept of a flow, whoever has written it: an index that the flow does not have is passed over, what cannot be read counts as missing, and no loop goes further than what is
  stored. What Redis keeps of a flow while it lasts:

    <flow>            hash
      layout          number of the layout of all this; a flow of another layout is left alone
      remaining       how many calls have not ended; there once the flow has begun
      starting        "1" until what it begins with was sent
      calls           how many it has
      callGroups      what was known of its calls when it began, JSON: [first, last, { task, queue, positions, replaces }] for those that are alike
      customIds       ids of calls that do not follow from the flow's id, by their numbers, JSON
      queues, links   the queues of its calls, and the numbers of those that are links, JSON
      added           the first call that was added to a group by one of its members; absent while there is none
      a<n>            what is known of call n, which was added, as long as the flow lasts: { id, task, queue, positions }
      +<id>           number of the call with this id, which was added
      off             "1" when all of it was called off: what is added is revoked, too
      resent          "1" when its messages may have been sent before, or called off: whoever takes one looks for a result first
      maxBytes        longest value that is passed on, bytes
      expires         time to live of the results of calls that do not run, ms
      replyTo         reply channel of these
      texts           number of the last text that was kept: a value or a failure
      c<n>            call n until it is sent: its head, a line feed, its message
      j<n>, b<n>      join n until all has come: { id, size, partial, next }; bytes of its values so far
      v<n>            a value that the backlog needs
      f<n>            a failure, JSON
    <flow>:sent, <flow>:done
                      bitmaps of the calls that were sent, unless others run in their place, and of those that have ended
    <flow>:<n>        hash: what has come to join n, by slot: "+" and a value, "-" and the number of a failure, or "=" and that if what failed stands before the group
    <flow>:backlog    list of calls that are to be sent, each with the number of its value; "- n" when that is not needed any more
    <flow>:cascade    list of what is to fail or to be dropped without having run: see flow/cascade

  The head of a call: { queue, id, task, priority, takesValue, from, countdown, lifetime, eta, resent, positions, replaces, startsMembersOf }.
]]
local call, ask = redis.call, require("parts/ask")
local StoredFlow = { ask = ask, layout = "2" }

-- Up to here the number of calls that a flow says it has is believed: a bit there costs at most 8 KiB.
local believed = 65536
-- Most positions of a message, and targets of one ending that are followed without a look at how many the flow can have.
local mostPositions, fewTargets = 10000, 100

-- Why a flow cannot be read: it is kept in another layout than this one; nil if it is not. `remaining`, `layout`: these fields.
function StoredFlow.otherLayout(key, id, remaining, layout)
  if layout == StoredFlow.layout then return nil end
  -- The first layout had no number, and other names of fields.
  if not layout and not remaining and call("HEXISTS", key, "left") == 0 then return nil end
  local other = layout and string.match(layout, "^%d+$") and #layout < 10 and layout or "1"
  return "flow " .. id .. " is kept in layout " .. other .. " by another version of Bullrush, and this one reads layout " .. StoredFlow.layout
end

-- Fails if a flow is kept in another layout than this one.
function StoredFlow.checkLayout(key, id, remaining, layout)
  local why = StoredFlow.otherLayout(key, id, remaining, layout)
  if why then error({ err = "LAYOUT " .. why }, 0) end
end

function StoredFlow.isIndex(value)
  return type(value) == "number" and value >= 0 and value < 2 ^ 53 and value % 1 == 0
end

-- The first and the last of some, or neither.
function StoredFlow.isRangeOrNone(first, last)
  return first == nil or (StoredFlow.isIndex(first) and StoredFlow.isIndex(last))
end

-- The array or object in a text; nil if it is none.
function StoredFlow.decode(text)
  local ok, value = pcall(cjson.decode, text)
  return ok and type(value) == "table" and value or nil
end

-- More calls and joins than this a flow cannot have: each has a field, or a bit.
function StoredFlow.size(flow)
  flow.size = flow.size or call("HLEN", flow.key) + 8 * math.max(call("STRLEN", flow.key .. ":sent"), call("STRLEN", flow.key .. ":done"))
  return flow.size
end

function StoredFlow.has(flow, number)
  return StoredFlow.isIndex(number) and number < flow.calls and (number < believed or number < StoredFlow.size(flow))
end

-- Those of the calls from `first` to `last` that the flow has. In all they are no more than it has calls, and some: each follows upon one thing.
function StoredFlow.range(flow, first, last)
  if not (StoredFlow.isIndex(first) and StoredFlow.isIndex(last)) then return 0, -1 end
  flow.room = flow.room or math.min(flow.calls, StoredFlow.size(flow)) + 1000
  last = math.min(last, flow.calls - 1, StoredFlow.size(flow) - 1, first + flow.room - 1)
  flow.room = flow.room - math.max(0, last - first + 1)
  return first, last
end

-- How many targets of a list are followed.
function StoredFlow.targets(flow, targets)
  local count = #targets
  return count <= fewTargets and count or math.min(count, 2 * StoredFlow.size(flow))
end

-- Calls `visit` for each of the positions that can be read.
function StoredFlow.eachPosition(positions, visit)
  for at, position in ipairs(positions) do
    if at > mostPositions then return end
    if type(position) == "table" and type(position.flow) == "string" and type(position.next) == "table" then visit(position) end
  end
end

local function isText(value) return type(value) == "string" end

local function isTime(value) return value == nil or (type(value) == "number" and value >= 0 and value < 2 ^ 53) end

local function areTasks(list)
  if list == nil then return true end
  if type(list) ~= "table" then return false end
  for _, one in ipairs(list) do
    if type(one) ~= "table" or not isText(one.id) or not isText(one.task) then return false end
  end
  return true
end

local function isHead(head)
  return isText(head.queue) and isText(head.id) and isText(head.task) and StoredFlow.isIndex(head.priority) and StoredFlow.isIndex(head.from)
    and isTime(head.countdown) and isTime(head.lifetime) and isTime(head.eta) and type(head.positions) == "table" and areTasks(head.replaces)
    and (head.startsMembersOf == nil or type(head.startsMembersOf) == "table")
end

-- The head of a call that is not sent yet, and its message; nil if there is none that can be read.
function StoredFlow.callIn(flow, number)
  local text = call("HGET", flow.key, "c" .. number)
  local border = text and string.find(text, "\n", 1, true)
  local head = border and StoredFlow.decode(string.sub(text, 1, border - 1))
  if not head or not isHead(head) then return nil end
  return head, string.sub(text, border + 1)
end

-- The ids that do not follow from the flow's, as JSON, with those of the calls among `numbers` that were added: none before `first` was.
function StoredFlow.customIdsWithAdded(key, customIds, first, numbers)
  local known, ids = customIds and string.match(customIds, "^{(.*)}$"), {}
  if not first or not known then return customIds end
  for _, number in ipairs(numbers) do
    local text = number >= first and call("HGET", key, "a" .. number)
    local id = text and string.match(text, '^{"id":"([%x-]+)"')
    if id then ids[#ids + 1] = '"' .. number .. '":"' .. id .. '"' end
  end
  if known ~= "" then table.insert(ids, 1, known) end
  return "{" .. table.concat(ids, ",") .. "}"
end

return StoredFlow
