--[[
  Does what follows upon the end of flows' calls, before they are settled: all in one script, so that no step is lost or done twice.

  Reads of the exchange: attempt, checked, isWrong, inFlows, and sets flowKeys, queueKeys, flowIndex
]]
local held, behind = {}, {}

-- Settlements that passed the check of their tokens, by number.
local function batchesOfNumbers()
  local batches = {}
  for _, batch in ipairs(checked) do
    for i, number in ipairs(batch.numbers) do batches[number] = { batch, i } end
  end
  return batches
end

-- A settlement that is not carried out after all.
local function leaveOut(batch, index)
  batch.out = batch.out or {}
  batch.out[index] = true
end

local function continueOne(place, batches, stored)
  local number, record = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
  local found = batches[number]
  if not found then return end
  if record > 0 and stored[record] == 1 then
    held[#held + 1] = number
    return leaveOut(unpack(found))
  end
  local late
  local trouble = attempt(function()
    local flows = inFlows()
    if ARGV[place + 3] == "replaced" then flows.replace(ARGV[place + 2]) else late = flows.continue(ARGV[place + 2], { [ARGV[place + 3]] = ARGV[place + 4] }) end
  end)
  if trouble then
    isWrong(number, trouble)
    return leaveOut(unpack(found))
  end
  for _, id in ipairs(late or {}) do behind[#behind + 1] = id end
end

-- Gives where the continuations end that stand in ARGV from `at` on.
local function continueAll(at, stored)
  local count = tonumber(ARGV[at])
  at = at + 1
  if count == 0 then return at end
  flowKeys, queueKeys, flowIndex = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  local batches = batchesOfNumbers()
  for i = 1, count do continueOne(at + (i - 1) * 5, batches, stored) end
  return at + 5 * count
end
