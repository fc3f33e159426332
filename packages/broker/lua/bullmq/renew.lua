--[[
  Renews leases.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       lease, ms
  ARGV[3d-1]    queue of delivery d, an index into KEYS
  ARGV[3d]      id
  ARGV[3d+1]    token

  Returns for each delivery: 1 renewed, 0 lost, or, renewed too, { why it was revoked, 1 to end it at once or 0 to ask it to end }
]]
--- @include extendLocks

local replies = {}
for d = 1, (#ARGV - 1) / 3 do
  local prefix, id, token = KEYS[tonumber(ARGV[3 * d - 1])], ARGV[3 * d], ARGV[3 * d + 1]
  local lost = extendLocks({ prefix .. "stalled" }, { prefix, cmsgpack.pack({ token }), cmsgpack.pack({ id }), ARGV[1] })
  local marks = redis.call("HMGET", prefix .. id, "revoked", "terminate")
  if #lost > 0 then replies[d] = 0
  elseif marks[1] then replies[d] = { marks[1], marks[2] and 1 or 0 }
  else replies[d] = 1 end
end
return replies
