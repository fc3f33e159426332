-- Sends the continuations of flows' calls that have ended, before these are settled: all in one script, so that no step is lost or done twice.
local SettleBatch = require("bullmq/settle-and-take/settle-batch")
local Attempt = require("parts/attempt")
local Continuations = {}

-- Settlements that passed the check of their tokens, by number: the batch of each, and its place there.
local function batchesOfNumbers()
  local batches = {}
  for _, batch in ipairs(SettleBatch.checked) do
    for i, number in ipairs(batch.numbers) do batches[number] = { batch, i } end
  end
  return batches
end

-- A settlement that is not carried out after all.
local function leaveOut(batch, index)
  batch.out = batch.out or {}
  batch.out[index] = true
end

-- What the continuations of a settlement leave to do: the flows with something behind.
local function advance(space, positions, ending, text)
  local AdvanceFlow = require("bullmq/flow/advance-flow")
  if ending == "replaced" then return AdvanceFlow.replace(space, positions) end
  return AdvanceFlow.after(space, positions, { [ending] = text })
end

local function continueOne(reply, space, at, batches, stored)
  local number, record = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local found = batches[number]
  if not found then return end
  if record > 0 and stored[record] == 1 then
    reply.held = reply.held or {}
    reply.held[#reply.held + 1] = number
    return leaveOut(unpack(found))
  end
  local ok, behind = pcall(advance, space, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  if not ok then
    SettleBatch.fail(reply, number, Attempt.textOf(behind))
    return leaveOut(unpack(found))
  end
  for _, id in ipairs(behind or {}) do
    reply.behind = reply.behind or {}
    reply.behind[#reply.behind + 1] = id
  end
end

-- Sends the `count` continuations that stand in ARGV from `at` on. `stored`: what became of the results. Returns where they end.
function Continuations.send(request, reply, at, count, stored)
  local space = { now = request.now, flows = ARGV[at], queues = ARGV[at + 1], index = ARGV[at + 2] }
  at = at + 3
  local batches = batchesOfNumbers()
  for i = 1, count do continueOne(reply, space, at + (i - 1) * 5, batches, stored) end
  return at + 5 * count
end

return Continuations
