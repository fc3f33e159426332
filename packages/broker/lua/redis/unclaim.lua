--[[
  Removes the claim of a delivery, unless something was stored or claimed since.

  KEYS[1]       record of the task
  ARGV[1]       delivery number

  Returns 1 if it was removed, else 0
]]
local state, claimed = require("parts/record-state").of(KEYS[1])
if state ~= "STARTED" or claimed ~= tonumber(ARGV[1]) then return 0 end
return redis.call("DEL", KEYS[1])
