--[[
  Sends a part of the backlog of a flow.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow
  ARGV[5]       how many messages at most

  Returns how many are left
]]
local call = redis.call
local now, flowKeys, queueKeys, flowIndex = ARGV[1], ARGV[2], ARGV[3], KEYS[1]

--- @include bullmq/flow/following

local flow = flowIn(newPlan(), ARGV[4])
return flow and sendBacklog(flow, tonumber(ARGV[5])) or 0
