--[[
  Keeps what could not be run among the dead letters of its queue, for inspection.

  Reads of the exchange: call, now, worker, Retained
]]
local DeadLetters = {
  -- Queues by number, and how many of their dead letters were dropped, in turn.
  dropped = {},
}

function DeadLetters.noteDropped(queue, count)
  local dropped = DeadLetters.dropped
  if count == 0 then return end
  dropped[#dropped + 1], dropped[#dropped + 2] = queue, count
end

-- `job`: its name and its data. `keep`: how the queue keeps what has ended, as the arguments say it.
function DeadLetters.keep(own, id, reason, job, keep)
  local name, data = job[1] or "", keep.arguments and job[2] or ""
  if keep.letters == 0 or keep.letterBytes == 0 then return DeadLetters.noteDropped(keep.queue, 1) end
  local set, key, class = own .. "dead-letters", own .. "dead-letter:" .. id, Retained.class(#data + #reason)
  local before = call("ZSCORE", set, id)
  -- Of another letter under this id every field is written anew, so that none is lost when that is refused.
  if not before then call("DEL", key) end
  call("HSET", key, "id", id, "at", now, "reason", reason, "worker", worker, "name", name, "data", data)
  call("ZADD", set, Retained.score(now, class, true), id)
  local added = Retained.sizeOf(class) - (before and Retained.sizeOf(Retained.read(before)) or 0)
  DeadLetters.noteDropped(keep.queue, Retained.bound(own, "deadLetters", set, 1, added, keep.letters, keep.letterBytes, Retained.letterKeys(own)))
end
