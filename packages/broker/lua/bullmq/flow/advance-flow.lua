--[[
  Finds out what follows upon the end of a call of a flow, and does it. What fails without having run is left to flow/fail-cascade: its records have to be stored before the flow forgets
  it, perhaps on another server. For plans and endings see flow/flow-plan, for what Redis keeps flow/stored-flow.
]]
local call = redis.call
local StoredFlow, FlowPlan, Joins = require("bullmq/flow/stored-flow"), require("bullmq/flow/flow-plan"), require("bullmq/flow/joins")
local SendCalls, keepText = require("bullmq/flow/send-calls"), require("bullmq/flow/keep-text")
local AdvanceFlow = {}

-- An error link is told of the failures of the calls from `first` to `last`, or of all.
local function visitErrorLink(plan, flow, number, first, last, ending)
  local isTold = ending.failure and (not first or (ending.by and ending.by >= first and ending.by <= last))
  if isTold then plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = ending.told or ending.failure }
  else FlowPlan.cascade(plan, flow, FlowPlan.dropped, "drop", number) end
end

local function visitCalls(plan, flow, kind, ending, first, last)
  local value = ending.value
  if value or ending.starts then
    -- What they say is read when they are sent: there may be thousands.
    for number = first, last do plan.sent[#plan.sent + 1] = { flow = flow, number = number, value = value } end
  elseif ending.failure and (kind == "step" or kind == "steps") then
    if first > last then return end
    if first == last then FlowPlan.cascade(plan, flow, ending, "call", first) else FlowPlan.cascade(plan, flow, ending, "calls", first, last) end
  else
    for number = first, last do FlowPlan.cascade(plan, flow, FlowPlan.dropped, "drop", number) end
  end
end

-- What a target asks for, if it is one of the flow's.
local function visit(plan, flow, target, ending)
  if type(target) ~= "table" then return end
  local kind, number, third, fourth = target[1], target[2], target[3], target[4]
  if kind == "slot" and StoredFlow.isIndex(number) and StoredFlow.isIndex(third) then Joins.visitSlot(plan, flow, number, third, ending)
  elseif kind == "open" and StoredFlow.isIndex(number) then Joins.visitEmpty(plan, flow, number, ending)
  elseif kind == "error" and StoredFlow.has(flow, number) and StoredFlow.isRangeOrNone(third, fourth) then visitErrorLink(plan, flow, number, third, fourth, ending)
  elseif kind == "steps" then visitCalls(plan, flow, kind, ending, StoredFlow.range(flow, number, third))
  elseif (kind == "step" or kind == "link") and StoredFlow.has(flow, number) then visitCalls(plan, flow, kind, ending, number, number) end
end

-- Follows all targets from where the plan begins.
function AdvanceFlow.walk(plan)
  local at = 1
  while plan.work[at] do
    local flow, target, ending = unpack(plan.work[at])
    plan.work[at] = false
    at = at + 1
    visit(plan, flow, target, ending)
  end
end

local function removeFlow(flow)
  for _, field in ipairs(call("HKEYS", flow.key)) do
    if string.sub(field, 1, 1) == "j" then call("DEL", flow.key .. ":" .. string.sub(field, 2)) end
  end
  call("DEL", flow.key, flow.key .. ":sent", flow.key .. ":done", flow.key .. ":backlog", flow.key .. ":cascade")
  call("ZREM", flow.space.index, flow.id)
end

local function writeCascade(plan)
  for _, one in ipairs(plan.cascade) do
    local words, failure, startsMembersOf = one.words, one.ending.failure, {}
    if failure then
      for join in pairs(one.ending.startsMembersOf or {}) do startsMembersOf[#startsMembersOf + 1] = join end
      local n, told = #words, one.ending.told
      words[n + 1], words[n + 2] = keepText(one.flow, "f", failure), table.concat(startsMembersOf, ",")
      words[n + 3] = (one.ending.by or "") .. (told and ":" .. keepText(one.flow, "f", told) or "")
    end
    call("RPUSH", one.flow.key .. ":cascade", table.concat(words, " "))
  end
end

local function isBehind(flow)
  return call("EXISTS", flow.key .. ":backlog", flow.key .. ":cascade") > 0
end

-- Carries a plan out. What is sent comes first: when that fails, it is found out anew. Returns the flows with something left to do.
function AdvanceFlow.carryOut(plan)
  local now = plan.space.now
  SendCalls.send(now, SendCalls.keepBacklog(plan.sent))
  writeCascade(plan)
  for _, flow in pairs(plan.flows) do
    if flow then Joins.write(flow) end
  end
  for _, one in ipairs(plan.ended) do
    local flow, number, unsent = unpack(one)
    if unsent then call("HDEL", flow.key, "c" .. number) end
    if call("SETBIT", flow.key .. ":done", number, 1) == 0 then flow.remaining = call("HINCRBY", flow.key, "remaining", -1) end
  end
  local behind = {}
  for id, flow in pairs(plan.flows) do
    if flow then
      if flow.remaining == 0 then
        removeFlow(flow)
      else
        call("ZADD", plan.space.index, now, id)
        if (#plan.sent > 1 or #plan.cascade > 0) and isBehind(flow) then behind[#behind + 1] = id end
      end
    end
  end
  return behind
end

-- Does what follows upon the end of the call at `positions`, JSON. Returns the flows with something left to do.
function AdvanceFlow.after(space, positions, ending)
  local plan = FlowPlan.new(space)
  FlowPlan.finish(plan, cjson.decode(positions), ending)
  AdvanceFlow.walk(plan)
  return AdvanceFlow.carryOut(plan)
end

-- Others run in the place of a call: it ends when they do.
function AdvanceFlow.replace(space, positions)
  local plan = FlowPlan.new(space)
  StoredFlow.eachPosition(cjson.decode(positions), function(position)
    local flow = FlowPlan.flow(plan, position.flow)
    if flow and StoredFlow.has(flow, position.call) then call("SETBIT", flow.key .. ":sent", position.call, 0) end
  end)
end

return AdvanceFlow
