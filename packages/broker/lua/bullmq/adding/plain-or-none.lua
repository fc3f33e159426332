--[[
  Adds messages without priority and delay to a queue, all or none of them.

  Reads of the script: call, now
]]
--- @include bullmq/adding/plain

-- As addPlain. If it fails, nothing was added; if only some can be sent, it fails.
local function addPlainOrNone(...)
  local ok, reply = pcall(addPlain, ...)
  if ok and #reply == 0 then return end
  takeBack()
  error(ok and { err = "WRONGTYPE Operation against a key holding the wrong kind of value" } or reply, 0)
end
