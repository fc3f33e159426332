--[[
  Sends a batch of the backlog of a flow.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow

  Returns how long the backlog is by then
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local FlowPlan = require("bullmq/flow/flow-plan")
local flow = FlowPlan.flow(FlowPlan.new(space), ARGV[4])
if not flow then return 0 end
require("bullmq/flow/send-calls").sendBacklog(flow)
-- It goes on.
call("ZADD", space.index, "XX", space.now, flow.id)
return call("LLEN", flow.key .. ":backlog")
