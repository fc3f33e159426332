-- Keeps what could not be run among the dead letters of its queue, for inspection.
local call = redis.call
local Retained = require("parts/retained")
local DeadLetters = {
  -- Longest name that is kept, in bytes, and how many letters there is room for at least: a longer message is not kept with its letter.
  longestName = 1000, least = 2,
}

local function noteDropped(reply, queue, count)
  if count == 0 then return end
  local dropped = reply.dropped or {}
  reply.dropped = dropped
  dropped[#dropped + 1], dropped[#dropped + 2] = queue, count
end

-- What is kept of a job, read before it ends: its name, its message or "", and the length of one that is too long.
function DeadLetters.read(request, jobKey, keep)
  local name, length = call("HGET", jobKey, "name") or "", call("HSTRLEN", jobKey, "data")
  local fits = length <= math.min(request.longest, keep.letterBytes / DeadLetters.least)
  return { string.sub(name, 1, DeadLetters.longestName), keep.arguments and fits and call("HGET", jobKey, "data") or "", not fits and length }
end

-- `job`: what `read` has returned. `keep`: how the queue keeps what has ended, as the arguments say it.
function DeadLetters.keep(request, reply, own, id, reason, job, keep)
  local name, data, length = job[1], job[2], job[3]
  if keep.letters == 0 or keep.letterBytes == 0 then return noteDropped(reply, keep.queue, 1) end
  local kind, key, class = Retained.letters(own), own .. "dead-letter:" .. id, Retained.class(#data + #reason)
  local before = call("ZSCORE", kind.set, id)
  -- Of another letter under this id every field is written anew, so that none is lost when that is refused.
  if not before then call("DEL", key) elseif not length then call("HDEL", key, "length") end
  call("HSET", key, "id", id, "at", request.now, "reason", reason, "worker", request.worker, "name", name, "data", data)
  if length then call("HSET", key, "length", length) end
  call("ZADD", kind.set, Retained.score(request.now, class, true), id)
  local added = Retained.sizeOf(class) - (before and Retained.sizeOf(Retained.read(before)) or 0)
  noteDropped(reply, keep.queue, Retained.bound(kind, request.now, 1, added, keep.letters, keep.letterBytes))
end

return DeadLetters
