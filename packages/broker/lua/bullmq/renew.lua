--[[
  Renews leases.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       lease, ms
  ARGV[3d-1]    queue of delivery d, an index into KEYS
  ARGV[3d]      id
  ARGV[3d+1]    token

  Returns for each delivery: 1 renewed, 0 lost, or, renewed too, { why it was revoked, 1 to end it at once or 0 to ask it to end }
]]
local extendLocks, Attempt = require("extendLocks"), require("parts/attempt")

local function renew(prefix, id, token)
  local lost = extendLocks({ prefix .. "stalled" }, { prefix, cmsgpack.pack({ token }), cmsgpack.pack({ id }), ARGV[1] })
  if #lost > 0 then return 0 end
  local marks = redis.call("HMGET", prefix .. id, "revoked", "terminate")
  return marks[1] and { marks[1], marks[2] and 1 or 0 } or 1
end

-- One whose keys somebody has spoilt does not cost the others their leases: what became of it shows when it is settled.
local replies, fault = {}, nil
for d = 1, (#ARGV - 1) / 3 do
  local ok, reply = pcall(renew, KEYS[tonumber(ARGV[3 * d - 1])], ARGV[3 * d], ARGV[3 * d + 1])
  if not ok and not Attempt.isWrongType(reply) then fault = fault or reply end
  replies[d] = ok and reply or 1
end
if fault then error(fault, 0) end
return replies
