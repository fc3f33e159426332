--[[
  Does what follows upon the end of a call whose own message is gone.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       places of the call, JSON
  ARGV[5]       "value" or "mishap"
  ARGV[6]       the value or the mishap, JSON

  Returns the flows with something left to do
]]
local call = redis.call
local now, flowKeys, queueKeys, flowIndex = ARGV[1], ARGV[2], ARGV[3], KEYS[1]

--- @include bullmq/flow/following

return continue(ARGV[4], { [ARGV[5]] = ARGV[6] })
