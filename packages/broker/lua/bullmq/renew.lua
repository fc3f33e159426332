--[[
  Renews leases.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       lease, ms
  ARGV[3d-1]    queue of delivery d, an index into KEYS
  ARGV[3d]      id
  ARGV[3d+1]    token

  Returns for each delivery: 1 renewed, 0 lost
]]
--- @include extendLocks

local replies = {}
for d = 1, (#ARGV - 1) / 3 do
  local prefix, id, token = KEYS[tonumber(ARGV[3 * d - 1])], ARGV[3 * d], ARGV[3 * d + 1]
  local lost = extendLocks({ prefix .. "stalled" }, { prefix, cmsgpack.pack({ token }), cmsgpack.pack({ id }), ARGV[1] })
  replies[d] = #lost == 0 and 1 or 0
end
return replies
