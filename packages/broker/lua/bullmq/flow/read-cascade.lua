--[[
  Reads what is to be stored and said before a batch of what is not to run can fail.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow

  Returns nothing if nothing is to fail, else { the first entry, number of calls and joins, time to live and reply channel of the results, JSON of
    calls       those that are to fail: { id, task, queue, replaces, failure }
    failures     these by their numbers, each JSON
    joins       those that fail, and whose words are to be found: { number, id, size, failed, named (failures of the first of these, JSON), bytes, maxBytes } }
]]
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")
local Cascade = require("bullmq/flow/cascade")

local flow = FlowPlan.flow(FlowPlan.new(space), ARGV[4])
if not flow then return false end
local first = StoredFlow.ask("LINDEX", flow.key .. ":cascade", 0)
if not first then return false end

local function joinFacts(number)
  local join = Joins.read(flow, number)
  if not join or join.count < join.size then return nil end
  local failed, named = 0, {}
  for _, entry in ipairs(Joins.entries(flow, number, join)) do
    if string.sub(entry, 1, 1) ~= "+" then
      failed = failed + 1
      if #named < 10 then named[#named + 1] = Cascade.failure(flow, string.sub(entry, 2)) or nil end
    end
  end
  return { number = number, id = join.id, size = join.size, failed = join.partial and 0 or failed, named = named, bytes = join.bytes, maxBytes = flow.maxBytes }
end

local calls, failures, joins = {}, {}, {}
local units = Cascade.each(flow, Cascade.units, function(kind, number, failure)
  if kind == "join" then
    joins[#joins + 1] = joinFacts(number)
  elseif kind == "call" then
    local head = StoredFlow.callIn(flow, number)
    if head then
      calls[#calls + 1] = { id = head.id, task = head.task, queue = head.queue, replaces = head.replaces, failure = failure }
      failures[failure] = Cascade.failure(flow, failure)
    end
  end
end)
return { first, units, flow.expires, flow.replyTo, cjson.encode({ calls = calls, failures = failures, joins = joins }) }
