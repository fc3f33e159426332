--[[
  What one call of a script is going to do in flows: it is found out first, then done. A plan has
    space       now, ms, what the keys of flows and of queues start with (`flows`, `queues`), and the index of the flows
    flows       those that it is about, by id
    work        targets that are still to be visited
    sent        calls to be sent, each with its value
    ended       calls that have ended
    cascade     what is to fail or to be dropped without having run

  An ending says how something came out: it has a value (JSON), or a failure and the joins before whose groups that happened, or it starts; or nothing, and then what follows is
  dropped. With a failure, `by` is the call that failed, of the flow `of`, and `told` what error links get instead of the failure; a join that has failed has none of these: the
  calls behind it are those that fail.
]]
local call = redis.call
local StoredFlow = require("bullmq/flow/stored-flow")
local FlowPlan = { dropped = {} }

function FlowPlan.new(space)
  return { space = space, flows = {}, work = {}, ended = {}, sent = {}, cascade = {} }
end

-- A flow that has not ended; false if there is none, or it cannot be read. Fails if it is kept in another layout.
function FlowPlan.flow(plan, id)
  local flow = plan.flows[id]
  if flow ~= nil then return flow end
  local key = plan.space.flows .. id
  local head = StoredFlow.ask("HMGET", key, "remaining", "resent", "maxBytes", "expires", "replyTo", "calls", "layout")
  if head then StoredFlow.checkLayout(key, id, head[1], head[7]) end
  local remaining, maxBytes, calls = tonumber(head and head[1] or nil), tonumber(head and head[3] or nil), tonumber(head and head[6] or nil)
  flow = StoredFlow.isIndex(remaining) and maxBytes and StoredFlow.isIndex(calls) and {
    space = plan.space, id = id, key = key, remaining = remaining, resent = head[2], maxBytes = maxBytes, expires = head[4], replyTo = head[5] or "", calls = calls, joins = {},
  } or false
  plan.flows[id] = flow
  return flow
end

-- Adds targets that an ending reaches.
function FlowPlan.push(plan, flow, targets, ending)
  for at = 1, StoredFlow.targets(flow, targets) do plan.work[#plan.work + 1] = { flow, targets[at], ending } end
end

-- The ending as it is seen at a position of the call: in another flow than that of what failed, the call at that position is the one that failed.
local function endingAt(position, ending)
  if not ending.failure or ending.of == position.flow then return ending end
  return { failure = ending.failure, by = position.call, of = position.flow, told = ending.told }
end

-- A call that stands at these positions has ended; `unsent` if it has not run.
function FlowPlan.finish(plan, positions, ending, unsent)
  StoredFlow.eachPosition(positions, function(position)
    local flow = FlowPlan.flow(plan, position.flow)
    if flow and StoredFlow.has(flow, position.call) and call("GETBIT", flow.key .. ":done", position.call) == 0 then
      plan.ended[#plan.ended + 1] = { flow, position.call, unsent }
      FlowPlan.push(plan, flow, position.next, endingAt(position, ending))
    end
  end)
end

-- Adds an entry to what fails or is dropped: its words, as flow/cascade has them.
function FlowPlan.cascade(plan, flow, ending, ...)
  plan.cascade[#plan.cascade + 1] = { flow = flow, ending = ending, words = { ... } }
end

return FlowPlan
