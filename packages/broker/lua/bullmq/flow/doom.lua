--[[
  Lets a lot of what is doomed fail, or be dropped, now that its records are stored.

  KEYS[1]       index of the flows
  ARGV[1]       now, ms
  ARGV[2]       what the keys of flows start with
  ARGV[3]       what the keys of queues start with
  ARGV[4]       id of the flow
  ARGV[5]       the first entry, as flow/doomed gave it: nothing is done if it is another one by now
  ARGV[6]       number of calls and joins
  ARGV[7]       the words of joins by their numbers, JSON of mishaps' JSON

  Returns the flows with something left to do
]]
local call = redis.call
local now, flowKeys, queueKeys, flowIndex = ARGV[1], ARGV[2], ARGV[3], KEYS[1]

--- @include bullmq/flow/following
--- @include bullmq/flow/dooming

local plan = newPlan()
local flow = flowIn(plan, ARGV[4])
if not flow then return {} end
local key = flow.key .. ":doom"
if call("LINDEX", key, 0) ~= ARGV[5] then return { flow.id } end
local words = cjson.decode(ARGV[7])

local function fail(number, mishap, enters)
  local head = callIn(flow, number)
  if not head then return end
  local before = {}
  for join in string.gmatch(enters, "%d+") do before[tonumber(join)] = true end
  for _, join in ipairs(head.enters or {}) do before[join] = true end
  leave(plan, head.places, { mishap = mishapIn(flow, mishap), enters = before }, true)
end

local _, entries, rest = eachDoomed(flow, tonumber(ARGV[6]), function(kind, number, mishap, enters)
  if kind == "call" then
    fail(number, mishap, enters)
  elseif kind == "drop" then
    local head = callIn(flow, number)
    if head then leave(plan, head.places, dropped, true) end
  else
    local join = joinIn(flow, number)
    local mishapText = words[tostring(number)]
    if join and mishapText then close(plan, flow, join, { mishap = mishapText }) end
  end
end)
walk(plan)
if entries > 0 then call("LTRIM", key, entries, -1) end
if rest then call("LSET", key, 0, rest) end
local behind = carryOut(plan)
if call("EXISTS", key) == 1 then behind[#behind + 1] = flow.id end
return behind
