--[[
  Stores task records and tells those who wait. The first terminal state wins. A delivery lower than the claimed one is refused, unless it succeeded: then the work is done.

  Reads groups of records from ARGV, each with a head of three arguments
    channel to notify, or ""
    time to live, ms
    how many records follow
  and then for each record
    id of the task
    delivery number
    the record: JSON that starts with {"state":"…","delivery":n
]]
local call = redis.call

local success = '{"state":"SUCCESS"'

-- 0 stored, 1 superseded (the task has a terminal state), 2 fenced (a later delivery has claimed it)
local function storeRecord(key, delivery, ttl, record)
  if call("SET", key, record, "PX", ttl, "NX") then return 0 end
  local RecordState = require("parts/record-state")
  local state, claimed = RecordState.of(key)
  if RecordState.terminal[state] then return 1 end
  if claimed and claimed > tonumber(delivery) and string.sub(record, 1, #success) ~= success then return 2 end
  call("SET", key, record, "PX", ttl)
  return 0
end

-- Stores the groups from ARGV[at] on, under keys that start with `prefix`. One notification a group: a line for each stored record, the id and behind it the record unless it is
-- longer than `largest` bytes. Returns a reply for each record, and where the groups end.
local function groups(at, groups, prefix, largest)
  local replies = {}
  for _ = 1, groups do
    local channel, ttl, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
    local lines = {}
    at = at + 3
    for _ = 1, count do
      local id, record = ARGV[at], ARGV[at + 2]
      local reply = storeRecord(prefix .. id, ARGV[at + 1], ttl, record)
      replies[#replies + 1] = reply
      if reply == 0 then
        local n = #lines
        lines[n + 1], lines[n + 2], lines[n + 3] = id, #record <= largest and record or "", "\n"
      end
      at = at + 3
    end
    if channel ~= "" and #lines > 0 then call("PUBLISH", channel, table.concat(lines, "", 1, #lines - 1)) end
  end
  return replies, at
end

return { groups = groups }
