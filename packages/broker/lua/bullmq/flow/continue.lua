--[[
  Does what follows upon the end of a call whose own message is gone.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       positions of the call, JSON
  ARGV[5]       "value" or "failure"
  ARGV[6]       the value or the failure, JSON

  Returns the flows with something left to do
]]
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
return require("bullmq/flow/advance-flow").after(space, ARGV[4], { [ARGV[5]] = ARGV[6] })
