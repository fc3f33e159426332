--[[
  Where tasks are. No key is declared: what is declared needs the right to write.

  ARGV[1]       key of the names of the queues to which messages were ever sent
  ARGV[2]       what the keys of queues start with
  ARGV[3]       what the keys of flows start with, or "" to ask for messages alone
  ARGV[4]       how many queues are named
  ARGV[4+q]     name of queue q
  then for each task: its id, "1" to look for it in all other queues too, else "", the number of its queues, and each queue, its number q

  Returns for each task, or for as many as one call is good for: 1 waiting, or the last of a flow that has not come to it; 0 neither, or finished; of one that waits and is revoked, why; of one that is on loan to a worker
      { queue, name, worker, since when, ms, times taken, times ended, what is left of its lease, ms, or -1 if that never ends, and if it has ended before
      its message, unless that is long, and its priority }
]]
local call = redis.call
local queueKeys, flowKeys, named = ARGV[2], ARGV[3], {}
for q = 1, tonumber(ARGV[4]) do named[q] = ARGV[4 + q] end

local ask, NamedQueues = require("parts/ask"), require("parts/named-queues")

-- Longest message that is read to tell at which attempt it is, in bytes.
local longest = 65536

local function loanOf(queue, key, lease)
  local job = call("HMGET", key, "name", "pb", "processedOn", "ats", "atm", "priority")
  local ended = tonumber(job[5]) or 0
  local data = ended > 0 and call("HSTRLEN", key, "data") <= longest and call("HGET", key, "data")
  return { queue, job[1], job[2], job[3], tonumber(job[4]) or 0, ended, lease, data, job[6] }
end

-- Nothing if it is not in this queue, or no job.
local function lookInto(queue, id)
  local key = queueKeys .. queue .. ":" .. id
  local job = ask("HMGET", key, "timestamp", "finishedOn", "revoked")
  -- Somebody has spoilt or removed it, and a worker has it still: what that stores counts.
  if not job or not job[1] then return call("EXISTS", key .. ":lock") == 1 and 1 or nil end
  if job[2] then return nil end
  local lease = call("PTTL", key .. ":lock")
  if lease ~= -2 then return loanOf(queue, key, lease) end
  return job[3] or 1
end

local function lookIntoOwn(id, first, last)
  for i = first, last do
    local found = lookInto(named[tonumber(ARGV[i])], id)
    if found then return found end
  end
  return 0
end

-- A flow has the id of the call that ends it, and is there until that has ended. Whoever may not read flows is told nothing of them.
local function endsFlow(id) return redis.pcall("EXISTS", flowKeys .. id) == 1 end

local sought, replies, missing, at = {}, {}, {}, 5 + #named

local function withFlows()
  if flowKeys == "" then return replies end
  for i, reply in ipairs(replies) do
    if reply == 0 and endsFlow(sought[i]) then replies[i] = 1 end
  end
  return replies
end

while at <= #ARGV do
  local id, elsewhere, count = ARGV[at], ARGV[at + 1] == "1", tonumber(ARGV[at + 2])
  replies[#replies + 1], sought[#replies + 1] = lookIntoOwn(id, at + 3, at + 2 + count), id
  if elsewhere and replies[#replies] == 0 then missing[#missing + 1] = { id = id, number = #replies } end
  at = at + 3 + count
end
if #missing == 0 then return withFlows() end

-- Tasks may have queues of their own among the named ones: to the others these are others.
local others = NamedQueues.others(ARGV[1], {})
local most = NamedQueues.mostSought(others)
if #missing > most then
  for i = #replies, missing[most + 1].number, -1 do replies[i] = nil end
  for i = #missing, most + 1, -1 do missing[i] = nil end
end
local ids = {}
for i, task in ipairs(missing) do ids[i] = task.id end
for _, queue in ipairs(others) do
  if NamedQueues.hasAny(queueKeys .. queue .. ":", ids, 1, #ids) then
    for _, task in ipairs(missing) do
      if replies[task.number] == 0 then replies[task.number] = lookInto(queue, task.id) or 0 end
    end
  end
end
return withFlows()
