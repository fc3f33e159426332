--[[
  Reads what is kept of a flow, whoever has written it: an index that the flow does not have is passed over, what cannot be read is as good as not there, and no loop goes further
  than what is stored.

  Reads of the script: call
]]
--- @include parts/ask
local Stored = {}

-- Has `Stored` be there. It costs each script that is about no flow one definition instead of ten.
local function openStored()
  if Stored.has then return end

  -- Up to here the number of calls that a flow says it has is believed: a bit there costs at most 8 KiB.
  local believed = 65536
  -- Most positions of a message, and targets of one ending that are followed without a look at how many the flow can have.
  local mostPlaces, fewTargets = 10000, 100

  function Stored.isIndex(value)
    return type(value) == "number" and value >= 0 and value < 2 ^ 53 and value % 1 == 0
  end

  -- The first and the last of some, or neither.
  function Stored.isRangeOrNone(first, last)
    return first == nil or (Stored.isIndex(first) and Stored.isIndex(last))
  end

  Stored.ask = ask

  -- The array or object in a text; nil if it is none.
  function Stored.decode(text)
    local ok, value = pcall(cjson.decode, text)
    return ok and type(value) == "table" and value or nil
  end

  -- More calls and joins than this a flow cannot have: each has a field, or a bit.
  function Stored.size(flow)
    flow.size = flow.size or call("HLEN", flow.key) + 8 * math.max(call("STRLEN", flow.key .. ":sent"), call("STRLEN", flow.key .. ":done"))
    return flow.size
  end

  function Stored.has(flow, number)
    return Stored.isIndex(number) and number < flow.calls and (number < believed or number < Stored.size(flow))
  end

  -- Those of the calls from `first` to `last` that the flow has. In all they are no more than it has calls, and some: each follows upon one thing.
  function Stored.range(flow, first, last)
    if not (Stored.isIndex(first) and Stored.isIndex(last)) then return 0, -1 end
    flow.room = flow.room or math.min(flow.calls, Stored.size(flow)) + 1000
    last = math.min(last, flow.calls - 1, Stored.size(flow) - 1, first + flow.room - 1)
    flow.room = flow.room - math.max(0, last - first + 1)
    return first, last
  end

  -- How many targets of a list are followed.
  function Stored.targets(flow, targets)
    local count = #targets
    return count <= fewTargets and count or math.min(count, 2 * Stored.size(flow))
  end

  -- Calls `visit` for each of the positions that can be read.
  function Stored.eachPlace(places, visit)
    for at, place in ipairs(places) do
      if at > mostPlaces then return end
      if type(place) == "table" and type(place.flow) == "string" and type(place.next) == "table" then visit(place) end
    end
  end

  local function isText(value) return type(value) == "string" end

  local function isTime(value) return value == nil or (type(value) == "number" and value >= 0 and value < 2 ^ 53) end

  local function areOrigins(list)
    if list == nil then return true end
    if type(list) ~= "table" then return false end
    for _, one in ipairs(list) do
      if type(one) ~= "table" or not isText(one.id) or not isText(one.task) then return false end
    end
    return true
  end

  local function isHead(head)
    return isText(head.queue) and isText(head.id) and isText(head.task) and Stored.isIndex(head.priority) and Stored.isIndex(head.from)
      and isTime(head.countdown) and isTime(head.lifetime) and isTime(head.eta) and type(head.places) == "table" and areOrigins(head.standsFor)
      and (head.enters == nil or type(head.enters) == "table")
  end

  -- The ids that follow no rule, as JSON, with those of the calls among `numbers` that were added: none before `first` was.
  function Stored.oddWithAdded(key, odd, first, numbers)
    local known, ids = odd and string.match(odd, "^{(.*)}$"), {}
    if not first or not known then return odd end
    for _, number in ipairs(numbers) do
      local text = number >= first and call("HGET", key, "a" .. number)
      local id = text and string.match(text, '^{"id":"([%x-]+)"')
      if id then ids[#ids + 1] = '"' .. number .. '":"' .. id .. '"' end
    end
    if known ~= "" then table.insert(ids, 1, known) end
    return "{" .. table.concat(ids, ",") .. "}"
  end

  -- The head of a call that is not sent yet, and its message; nil if there is none that can be read.
  function Stored.callIn(flow, number)
    local text = call("HGET", flow.key, "c" .. number)
    local border = text and string.find(text, "\n", 1, true)
    local head = border and Stored.decode(string.sub(text, 1, border - 1))
    if not head or not isHead(head) then return nil end
    return head, string.sub(text, border + 1)
  end
end
