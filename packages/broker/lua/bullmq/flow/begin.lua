--[[
  Begins a flow, unless it has begun.

  KEYS[1]       the flow
  KEYS[2]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       its id
  ARGV[5]       what begins: JSON list of targets
  ARGV[6...]    fields and values: layout, remaining, maxBytes, …, and calls and joins that were not kept before

  Returns 1 if something is left to be sent, else 0
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[2] }
local AdvanceFlow, FlowPlan = require("bullmq/flow/advance-flow"), require("bullmq/flow/flow-plan")

local backlog = KEYS[1] .. ":backlog"
local remaining, starting, layout = unpack(call("HMGET", KEYS[1], "remaining", "starting", "layout"))
require("bullmq/flow/stored-flow").checkLayout(KEYS[1], ARGV[4], remaining, layout)
if remaining and not starting then return call("EXISTS", backlog) end
-- Until all that begins is sent: if that is refused, whoever repeats the call goes on with it.
if not remaining then
  call("HSET", KEYS[1], "starting", "1")
  for at = 6, #ARGV, 1000 do call("HSET", KEYS[1], unpack(ARGV, at, math.min(at + 999, #ARGV))) end
end
local plan = FlowPlan.new(space)
FlowPlan.push(plan, FlowPlan.flow(plan, ARGV[4]), cjson.decode(ARGV[5]), { starts = true })
AdvanceFlow.walk(plan)
AdvanceFlow.carryOut(plan)
call("HDEL", KEYS[1], "starting")
return call("EXISTS", backlog)
