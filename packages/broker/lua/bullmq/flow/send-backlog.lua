--[[
  Sends a lot of the backlog of a flow.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow

  Returns how long the backlog is by then
]]
local call = redis.call
local now, flowKeys, queueKeys, flowIndex = ARGV[1], ARGV[2], ARGV[3], KEYS[1]

--- @include bullmq/flow/following

local flow = flowIn(newPlan(), ARGV[4])
if not flow then return 0 end
sendBacklog(flow)
-- It goes on.
call("ZADD", flowIndex, "XX", now, flow.id)
return call("LLEN", flow.key .. ":backlog")
