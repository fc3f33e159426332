-- The queues in which messages are looked for: those that are named, and all others to which any was ever sent.
local call = redis.call
local NamedQueues = {}

-- The queues of the set `key` that are not among `named`. A user who may not read the set looks into the named ones alone.
function NamedQueues.others(key, named)
  local isNamed, others = {}, {}
  for _, queue in ipairs(named) do isNamed[queue] = true end
  for _, queue in ipairs(redis.pcall("SMEMBERS", key)) do
    if not isNamed[queue] then others[#others + 1] = queue end
  end
  return others
end

-- For how many tasks so many queues are looked into in one call, so that none holds Redis for long.
function NamedQueues.mostSought(queues) return math.max(1, math.floor(50000 / math.max(1, #queues))) end

-- Whether a queue has a job for any of the ids from `first` to `last` in `ids`: most queues have none of them, and then this is all that they cost.
function NamedQueues.hasAny(prefix, ids, first, last)
  for from = first, last, 1000 do
    local keys = {}
    for i = from, math.min(from + 999, last) do keys[#keys + 1] = prefix .. ids[i] end
    if call("EXISTS", unpack(keys)) > 0 then return true end
  end
  return false
end

return NamedQueues
