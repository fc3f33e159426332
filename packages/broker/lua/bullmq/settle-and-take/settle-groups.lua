-- Reads the settlements of a call, in groups of those that are alike, and settles each group in its way: in batches, or one by one.
local SettleBatch = require("bullmq/settle-and-take/settle-batch")
local Attempt = require("parts/attempt")

-- How many arguments a settlement has; four for actions that are not here.
local widths = { done = 2, ["done-again"] = 2, ["done-late"] = 3, requeued = 2, crashed = 2 }

-- Groups that are settled one by one.
local singles = {}

-- How what ends is kept, which stands in ARGV from `at` on, and where it ends.
local function keepFrom(at, action, queue)
  if not SettleBatch.ends[action] and string.sub(action, 1, 9) ~= "external-" then return nil, at end
  local keep = { queue = queue, values = tonumber(ARGV[at]), most = tonumber(ARGV[at + 1]), bytes = tonumber(ARGV[at + 2]), arguments = ARGV[at + 3] == "1" }
  if action ~= "dead" and action ~= "external-dead" then return keep, at + 4 end
  keep.letters, keep.letterBytes = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  return keep, at + 6
end

-- Checks the `groups` groups that stand in ARGV from `at` on. Returns where they end.
local function check(request, reply, at, groups)
  local number = 0
  for _ = 1, groups do
    local queue, action, count = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 3])
    local keep, first = keepFrom(at + 4, action, queue)
    local group = {
      prefix = KEYS[2 * queue - 1], own = KEYS[2 * queue], action = action, finish = ARGV[at + 2], keep = keep, at = first, count = count, number = number,
      width = widths[action] or 4, target = SettleBatch.ends[action], ids = {}, places = {}, numbers = {}, freed = {}, events = "", keepsNone = false,
    }
    if group.target then
      group.keep.each = group.keep.values / count
      local trouble = Attempt.run(SettleBatch.check, reply, group)
      if trouble then
        for i = 1, count do SettleBatch.fail(reply, number + i, trouble) end
      end
    else
      singles[#singles + 1] = group
    end
    at = group.at + group.width * count
    number = number + count
  end
  return at
end

-- Carries out what was checked, and settles the others. Returns the error of a replica, if one has refused.
local function finish(request, reply)
  SettleBatch.finishChecked(request, reply)
  for _, group in ipairs(singles) do require("bullmq/settle-and-take/settle-single").group(request, reply, group) end
  for i = 2, #reply.wrong, 2 do
    if Attempt.isForPrimary(reply.wrong[i]) then return reply.wrong[i] end
  end
  return nil
end

return { check = check, finish = finish }
