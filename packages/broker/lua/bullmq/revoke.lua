--[[
  Marks messages as revoked, wherever they are: whoever takes one drops it, and whoever runs one hears of it when it renews the lease.
  What has ended stays as it is. One of a flow that is not due yet is due now: what follows upon it does not wait for its time.

  KEYS[1]       names of the queues to which messages were ever sent
  ARGV[1]       why, if it was not revoked before
  ARGV[2]       "1" to end what runs at once, "" to ask it to end
  ARGV[3]       how many bytes of the end of a message are wanted
  ARGV[4]       how many bytes of messages are read at most: Redis can only read them whole
  ARGV[5]       now, ms
  ARGV[6]       what the keys of queues start with
  ARGV[7]       "1" to look into all queues of the set too, "" for those that are named
  ARGV[8]       how many queues are named
  then their names, and the ids of the tasks

  Returns for each task, or for as many as one call is good for: 0 in none of the queues, 1 ended, or { 1 if it is on loan to a worker, else 0; its queue; name of the task; the
      end of the message, or "" if it was not read; when it is due, ms, if it is not yet, else 0 }
]]
local call = redis.call
local reason, terminate, wanted, readable, now = ARGV[1], ARGV[2] == "1", tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local queueKeys, queues = ARGV[6], {}

local ask, NamedQueues = require("parts/ask"), require("parts/named-queues")

for q = 1, tonumber(ARGV[8]) do queues[q] = ARGV[8 + q] end
local first, last = 9 + #queues, #ARGV
if ARGV[7] == "1" then
  for _, queue in ipairs(NamedQueues.others(KEYS[1], queues)) do queues[#queues + 1] = queue end
  last = math.min(last, first - 1 + NamedQueues.mostSought(queues))
end

local function endOf(key)
  local length = call("HSTRLEN", key, "data")
  if length > readable then return "" end
  readable = readable - length
  return string.sub(call("HGET", key, "data") or "", -wanted)
end

-- BullMQ keeps it in the upper bits of the score.
local function dueOf(prefix, id)
  return math.floor((tonumber(ask("ZSCORE", prefix .. "delayed", id) or nil) or 0) / 0x1000)
end

-- Whether a message is of a flow, or too long to be read for that. Arguments may look like it: then one that nobody will run is dropped early.
local function isOfFlow(key)
  local length = call("HSTRLEN", key, "data")
  if length > readable then return true end
  readable = readable - length
  return string.find(call("HGET", key, "data") or "", ',"positions":[{"flow":"', 1, true) ~= nil
end

local function letBeDue(prefix, id)
  call("ZADD", prefix .. "delayed", "XX", string.format("%.0f", now * 0x1000), id)
  ask("ZADD", prefix .. "marker", 0, "0")
end

-- What is known of the task by now, when queues before may have been looked into: an id of the caller's may have been sent to several.
local function revoke(queue, id, found)
  local prefix = queueKeys .. queue .. ":"
  local key = prefix .. id
  local job = ask("HMGET", key, "name", "finishedOn")
  -- Nobody can run what is no job.
  if not job then return found end
  if job[2] then return found == 0 and 1 or found end
  if not job[1] then return found end
  call("HSETNX", key, "revoked", reason)
  if terminate then call("HSET", key, "terminate", "1") end
  local taken = call("EXISTS", key .. ":lock")
  local due = dueOf(prefix, id)
  if due > now and isOfFlow(key) then
    letBeDue(prefix, id)
    due = 0
  end
  if type(found) ~= "number" and taken <= found[1] then return found end
  return { taken, queue, job[1], endOf(key), due }
end

local replies = {}
for i = first, last do replies[i - first + 1] = 0 end
for _, queue in ipairs(queues) do
  if NamedQueues.hasAny(queueKeys .. queue .. ":", ARGV, first, last) then
    for i = first, last do replies[i - first + 1] = revoke(queue, ARGV[i], replies[i - first + 1]) end
  end
end
return replies
