--[[
  Adds messages without priority and delay to a queue, all or none of them.

  Reads of the script: call, now
]]
--- @include bullmq/adding/plain

-- As addPlain. If it fails, nothing was added.
local function addPlainOrNone(...)
  local ok, why = pcall(addPlain, ...)
  if ok then return end
  takeBack()
  error(why, 0)
end
