--[[
  Keeps what could not be run among the dead letters of its queue, for inspection.

  Reads of the exchange: call, now, worker, longest, Retained
]]
local DeadLetters = {
  -- Queues by number, and how many of their dead letters were dropped, in turn.
  dropped = {},
  -- Longest name that is kept, in bytes, and how many letters there is room for at least: a longer message is not kept with its letter.
  longestName = 1000, least = 2,
}

function DeadLetters.noteDropped(queue, count)
  local dropped = DeadLetters.dropped
  if count == 0 then return end
  dropped[#dropped + 1], dropped[#dropped + 2] = queue, count
end

-- What is kept of a job, read before it ends: its name, its message or "", and the length of one that is too long.
function DeadLetters.read(jobKey, keep)
  local name, length = call("HGET", jobKey, "name") or "", call("HSTRLEN", jobKey, "data")
  local fits = length <= math.min(longest, keep.letterBytes / DeadLetters.least)
  return { string.sub(name, 1, DeadLetters.longestName), keep.arguments and fits and call("HGET", jobKey, "data") or "", not fits and length }
end

-- `job`: what `read` has given. `keep`: how the queue keeps what has ended, as the arguments say it.
function DeadLetters.keep(own, id, reason, job, keep)
  local name, data, length = job[1], job[2], job[3]
  if keep.letters == 0 or keep.letterBytes == 0 then return DeadLetters.noteDropped(keep.queue, 1) end
  local kind, key, class = Retained.letters(own), own .. "dead-letter:" .. id, Retained.class(#data + #reason)
  local before = call("ZSCORE", kind.set, id)
  -- Of another letter under this id every field is written anew, so that none is lost when that is refused.
  if not before then call("DEL", key) elseif not length then call("HDEL", key, "length") end
  call("HSET", key, "id", id, "at", now, "reason", reason, "worker", worker, "name", name, "data", data)
  if length then call("HSET", key, "length", length) end
  call("ZADD", kind.set, Retained.score(now, class, true), id)
  local added = Retained.sizeOf(class) - (before and Retained.sizeOf(Retained.read(before)) or 0)
  DeadLetters.noteDropped(keep.queue, Retained.bound(kind, 1, added, keep.letters, keep.letterBytes))
end
