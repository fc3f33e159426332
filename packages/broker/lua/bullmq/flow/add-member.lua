--[[
  Adds a member to the group of a member that runs, and sends it. The join of the group waits for it too: its value comes behind all others.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow
  ARGV[5]       number of the call that adds it
  ARGV[6]       number of the join
  ARGV[7]       id of the new call
  ARGV[8]       its queue
  ARGV[9]       its queue, JSON
  ARGV[10]      what is known of it, JSON that begins with its id, without its positions
  ARGV[11]      its head, without its positions
  ARGV[12]      its message up to its positions
  ARGV[13]      its message behind these

  Returns "added"; "known" if it was added before; "ended" if there is no such flow, call or join any more, or they cannot be read
]]
local call = redis.call
local space = { now = ARGV[1], flows = ARGV[2], queues = ARGV[3], index = KEYS[1] }
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")

local id, queue, queueText = ARGV[7], ARGV[8], ARGV[9]
local flow = FlowPlan.flow(FlowPlan.new(space), ARGV[4])
if not flow then return "ended" end
if call("HEXISTS", flow.key, "+" .. id) == 1 then return "known" end
local by, joinNumber = tonumber(ARGV[5]), tonumber(ARGV[6])
if not StoredFlow.has(flow, by) or call("GETBIT", flow.key .. ":done", by) == 1 then return "ended" end

-- The join with one slot more; nil if it cannot be read.
local function grown(join)
  local text, count = string.gsub(call("HGET", flow.key, "j" .. joinNumber), '"size":%d+', '"size":' .. join.size + 1, 1)
  local read = count == 1 and StoredFlow.decode(text)
  return read and read.size == join.size + 1 and text or nil
end

-- The queues with that of the new call; nil if they cannot be read.
local function queuesWith(text)
  local inner = text and string.match(text, "^%[(.+)%]$")
  if not inner then return nil end
  if string.find("," .. inner .. ",", "," .. queueText .. ",", 1, true) then return text end
  return "[" .. inner .. "," .. queueText .. "]"
end

local join = Joins.read(flow, joinNumber)
local joinText = join and grown(join)
local queues, first, off = unpack(call("HMGET", flow.key, "queues", "added", "off"))
queues = queuesWith(queues)
if not joinText or not queues then return "ended" end

local number = flow.calls
local positions = '"positions":[{"flow":"' .. flow.id .. '","call":' .. number .. ',"next":[["slot",' .. joinNumber .. "," .. join.size .. "]]}]"
local function placed(text) return string.sub(text, 1, -2) .. "," .. positions .. "}" end

-- First among what is to be sent: wherever this is cut short, whoever looks after flows sends what the join counts. A number that no call has is passed over there.
local backlog, entry = flow.key .. ":backlog", number .. " "
call("RPUSH", backlog, entry)
-- One command: all of it is there, or nothing.
call("HSET", flow.key,
  "+" .. id, number, "a" .. number, placed(ARGV[10]), "c" .. number, placed(ARGV[11]) .. "\n" .. ARGV[12] .. "," .. positions .. ARGV[13],
  "j" .. joinNumber, joinText, "calls", number + 1, "remaining", flow.remaining + 1, "queues", queues, "added", first or number)
flow.calls, flow.remaining, flow.size = number + 1, flow.remaining + 1, nil
-- What its queue refuses now stays in the backlog.
if pcall(require("bullmq/flow/send-calls").send, space.now, { { flow = flow, number = number } }) then call("LREM", backlog, -1, entry) end
call("ZADD", space.index, space.now, flow.id)
if off then
  -- As the other members: whoever takes it drops it, without waiting for its time.
  local key = space.queues .. queue .. ":"
  if StoredFlow.ask("HEXISTS", key .. id, "name") == 1 then call("HSETNX", key .. id, "revoked", "its chord was revoked") end
  StoredFlow.ask("ZADD", key .. "delayed", "XX", string.format("%.0f", tonumber(space.now) * 0x1000), id)
  if StoredFlow.ask("ZSCORE", key .. "delayed", id) then StoredFlow.ask("ZADD", key .. "marker", 0, "0") end
end
return "added"
