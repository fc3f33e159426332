--[[
  Marks messages as revoked, wherever they are: whoever takes one drops it, and whoever runs one hears of it when it renews the lease.
  What has ended stays as it is. One of a flow that is not due yet is due now: what follows upon it does not wait for its time.

  KEYS[q]       what the keys of queue q start with
  ARGV[1]       why, if it was not revoked before
  ARGV[2]       "1" to end what runs at once, "" to ask it to end
  ARGV[3]       how many bytes of the end of a message are wanted
  ARGV[4]       how many bytes of messages are read at most: Redis can only read them whole
  ARGV[5]       now, ms
  ARGV[5+i]     id of task i

  Returns for each task: 0 in none of the queues, 1 ended, or { 1 if it is on loan to a worker, else 0; queue, an index into KEYS; name
      of the task; the end of the message, or "" if it was not read; when it is due, ms, if it is not yet, else 0 }
]]
local call = redis.call
local reason, terminate, wanted, readable, now = ARGV[1], ARGV[2] == "1", tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local function endOf(key)
  local length = call("HSTRLEN", key, "data")
  if length > readable then return "" end
  readable = readable - length
  return string.sub(call("HGET", key, "data") or "", -wanted)
end

-- BullMQ keeps it in the upper bits of the score.
local function dueOf(prefix, id)
  return math.floor((tonumber(call("ZSCORE", prefix .. "delayed", id)) or 0) / 0x1000)
end

-- Whether a message is of a flow, or too long to be read for that. Arguments may look like it: then one that nobody will run is dropped early.
local function isOfFlow(key)
  local length = call("HSTRLEN", key, "data")
  if length > readable then return true end
  readable = readable - length
  return string.find(call("HGET", key, "data") or "", ',"places":[{"flow":"', 1, true) ~= nil
end

local function letBeDue(prefix, id)
  call("ZADD", prefix .. "delayed", "XX", string.format("%.0f", now * 0x1000), id)
  call("ZADD", prefix .. "marker", 0, "0")
end

-- An id of the caller's may have been sent to several queues.
local function revoke(id)
  local found = 0
  for queue, prefix in ipairs(KEYS) do
    local key = prefix .. id
    local job = call("HMGET", key, "name", "finishedOn")
    if job[2] then
      if found == 0 then found = 1 end
    elseif job[1] then
      call("HSETNX", key, "revoked", reason)
      if terminate then call("HSET", key, "terminate", "1") end
      local taken = call("EXISTS", key .. ":lock")
      local due = dueOf(prefix, id)
      if due > now and isOfFlow(key) then
        letBeDue(prefix, id)
        due = 0
      end
      if type(found) == "number" or taken > found[1] then found = { taken, queue, job[1], endOf(key), due } end
    end
  end
  return found
end

local replies = {}
for i = 6, #ARGV do replies[i - 5] = revoke(ARGV[i]) end
return replies
