--[[
  What is to be stored and said before a lot of what is doomed can be let fail.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow

  Returns nothing if nothing is doomed, else { the first entry, number of calls and joins, time to live and reply channel of the results, JSON of
    calls       those that are to fail: { id, task, queue, standsFor, mishap }
    mishaps     these by their numbers, each JSON
    joins       those that fail, and do not know in which words: { number, id, size, failed, named (mishaps of the first of these, JSON), bytes, limit } }
]]
local call = redis.call
local now, flowKeys, queueKeys, flowIndex = ARGV[1], ARGV[2], ARGV[3], KEYS[1]

--- @include bullmq/flow/following
--- @include bullmq/flow/dooming

local flow = flowIn(newPlan(), ARGV[4])
if not flow then return false end
local first = Stored.ask("LINDEX", flow.key .. ":doom", 0)
if not first then return false end

local function joinFacts(number)
  local join = joinIn(flow, number)
  if not join or join.count < join.size then return nil end
  local failed, named = 0, {}
  for _, entry in ipairs(entriesOf(flow, number, join)) do
    if string.sub(entry, 1, 1) ~= "+" then
      failed = failed + 1
      if #named < 10 then named[#named + 1] = mishapIn(flow, string.sub(entry, 2)) or nil end
    end
  end
  return { number = number, id = join.id, size = join.size, failed = join.partial and 0 or failed, named = named, bytes = join.bytes, limit = flow.limit }
end

local calls, mishaps, joins = {}, {}, {}
local units = eachDoomed(flow, mostDoomed.units, function(kind, number, mishap)
  if kind == "join" then
    joins[#joins + 1] = joinFacts(number)
  elseif kind == "call" then
    local head = Stored.callIn(flow, number)
    if head then
      calls[#calls + 1] = { id = head.id, task = head.task, queue = head.queue, standsFor = head.standsFor, mishap = mishap }
      mishaps[mishap] = mishapIn(flow, mishap)
    end
  end
end)
return { first, units, flow.expires, flow.to, cjson.encode({ calls = calls, mishaps = mishaps, joins = joins }) }
