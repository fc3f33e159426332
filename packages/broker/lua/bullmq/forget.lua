--[[
  Removes what is kept of tasks that have ended: their finished jobs, what events tell of their failures, and their dead letters. What has not ended stays, but for
  messages that were revoked before anybody has taken them: those of flows stay until a worker has seen to what follows upon them.

  KEYS[1]       names of the queues to which messages were ever sent
  ARGV[1]       what the keys of queues start with
  ARGV[2]       what our own keys of queues start with
  ARGV[3]       how many queues are named
  then their names, and the ids of the tasks

  Returns for each task, or for as many as one call is good for: 0 nothing of it is left, 1 it has not ended, 2 it has not either and is on loan to a worker
]]
local call = redis.call
local queueKeys, ownKeys, queues = ARGV[1], ARGV[2], {}

local ask, NamedQueues = require("parts/ask"), require("parts/named-queues")
local Retained, RetainedKeys = require("parts/retained"), require("parts/retained-keys")

for q = 1, tonumber(ARGV[3]) do queues[q] = ARGV[3 + q] end
local first, last = 4 + #queues, #ARGV
for _, queue in ipairs(NamedQueues.others(KEYS[1], queues)) do queues[#queues + 1] = queue end
-- Some commands are sent for each queue and task.
last = math.min(last, first - 1 + math.max(1, math.floor(NamedQueues.mostSought(queues) / 10)))

-- Takes it out of a set, if it is there.
local function takeOut(kind, id)
  local score = ask("ZSCORE", kind.set, id)
  if not score then return end
  local class, isOurs = Retained.read(score)
  local gone = {}
  RetainedKeys.add(kind, gone, id, isOurs)
  call("DEL", unpack(gone))
  call("ZREM", kind.set, id)
  Retained.count(kind, -Retained.sizeOf(class))
end

-- How many ids of lists this call may still look at for revoked messages: a million take Redis about 15 ms.
local lookable = 1000000

-- Removes a message that was revoked, if it waits. Gives whether it did.
local function removeRevoked(prefix, id)
  -- The words that the messages of flows have: an argument may look like it, and then the message stays until a worker drops it.
  if string.find(call("HGET", prefix .. id, "data") or "", ',"positions":[{"flow":"', 1, true) then return false end
  local was = (ask("ZREM", prefix .. "delayed", id) or 0) + (ask("ZREM", prefix .. "prioritized", id) or 0)
  for _, list in ipairs({ prefix .. "wait", prefix .. "paused" }) do
    if was > 0 then break end
    lookable = lookable - (ask("LLEN", list) or 0)
    was = ask("LREM", list, -1, id) or 0
  end
  if was == 0 then return false end
  call("DEL", prefix .. id, prefix .. id .. ":logs")
  return true
end

-- 0 if it has ended, or was never here; else 1, or 2 if it is on loan.
local function forget(queue, id)
  local prefix, own = queueKeys .. queue .. ":", ownKeys .. queue .. ":"
  takeOut(Retained.letters(own), id)
  local job = ask("HMGET", prefix .. id, "timestamp", "finishedOn", "event", "revoked")
  if not job or not job[1] then return 0 end
  if not job[2] then
    local isTaken = call("EXISTS", prefix .. id .. ":lock")
    return job[4] and isTaken == 0 and removeRevoked(prefix, id) and 0 or 1 + isTaken
  end
  if job[3] then ask("XDEL", prefix .. "events", job[3]) end
  takeOut(Retained.finished(prefix, own, "completed"), id)
  takeOut(Retained.finished(prefix, own, "failed"), id)
  return 0
end

local replies = {}
for i = first, last do
  if lookable <= 0 then break end
  local left = 0
  for _, queue in ipairs(queues) do left = math.max(left, forget(queue, ARGV[i])) end
  replies[i - first + 1] = left
end
return replies
