--[[
  Fails, or drops, a batch of what is not to run, now that its records are stored.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow
  ARGV[5]       the first entry, as flow/read-cascade returned it: nothing is done if it is another one by now
  ARGV[6]       number of calls and joins
  ARGV[7]       the words of joins by their numbers, JSON of failures' JSON

  Returns the flows with something left to do
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")
local AdvanceFlow, Cascade = require("bullmq/flow/advance-flow"), require("bullmq/flow/cascade")

local plan = FlowPlan.new(space)
local flow = FlowPlan.flow(plan, ARGV[4])
if not flow then return {} end
local key = flow.key .. ":cascade"
if StoredFlow.ask("LINDEX", key, 0) ~= ARGV[5] then return { flow.id } end
local words = cjson.decode(ARGV[7])

-- The failure of a group, told of the call behind it. A group's own words begin with its id and its name.
local function toldOf(failure, id, task)
  local rest = string.match(failure, '^{"id":"[^"]*","task":"group"(.*)$')
  return rest and '{"id":' .. cjson.encode(id) .. ',"task":' .. cjson.encode(task) .. rest
end

-- The task that a call is for those who wait for it: the last of those that it stands for is the one that asked for it.
local function taskOf(head)
  return head.replaces and head.replaces[1] or head
end

-- What cannot be read counts as sent: whoever looks after flows finds that it has no message.
local function noteUnreadable(number)
  if call("HEXISTS", flow.key, "c" .. number) == 0 then return end
  call("SETBIT", flow.key .. ":sent", number, 1)
  call("HDEL", flow.key, "c" .. number)
end

local function fail(number, failure, startsMembersOf, failed)
  local head = StoredFlow.callIn(flow, number)
  if not head then return noteUnreadable(number) end
  local before = {}
  for join in string.gmatch(startsMembersOf, "%d+") do before[tonumber(join)] = true end
  for _, join in ipairs(head.startsMembersOf or {}) do before[join] = true end
  local text = Cascade.failure(flow, failure)
  local by, told = string.match(failed, "^(%d*):?(%d*)$")
  if by == "" then told = toldOf(text, taskOf(head).id, taskOf(head).task)
  else told = told ~= "" and Cascade.failure(flow, told) or nil end
  FlowPlan.finish(plan, head.positions, { failure = text, startsMembersOf = before, by = tonumber(by) or number, of = flow.id, told = told }, true)
end

local _, entries, rest = Cascade.each(flow, tonumber(ARGV[6]), function(kind, number, failure, startsMembersOf, failed)
  if kind == "call" then
    fail(number, failure, startsMembersOf, failed)
  elseif kind == "drop" then
    local head = StoredFlow.callIn(flow, number)
    if head then FlowPlan.finish(plan, head.positions, FlowPlan.dropped, true) else noteUnreadable(number) end
  else
    local join = Joins.read(flow, number)
    local failureText = words[tostring(number)]
    if join and failureText then Joins.close(plan, flow, join, { failure = failureText }) end
  end
end)
AdvanceFlow.walk(plan)
local behind = AdvanceFlow.carryOut(plan)
-- What was done leaves the list last: if that is refused, it is done once more, which changes nothing. A flow that has ended has no list.
if call("EXISTS", key) == 1 then
  if rest then call("LSET", key, entries, rest) end
  if entries > 0 then call("LTRIM", key, entries, -1) end
end
if call("EXISTS", key) == 1 then behind[#behind + 1] = flow.id end
return behind
