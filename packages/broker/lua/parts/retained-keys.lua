-- The keys of what is kept of messages that have ended, and what must not be removed. For the kinds see parts/retained.
local call = redis.call

-- What stands for `redis` in a script of BullMQ's that writes no events: it writes none of jobs that are beyond a bound either.
local function withoutEvents()
  return setmetatable({
    call = function(command, ...)
      if command == "XADD" then return "0-0" end
      return call(command, ...)
    end,
  }, { __index = redis })
end

-- Adds to `gone` the keys of a member. A finished job that is not ours is removed by BullMQ.
local function add(kind, gone, id, isOurs)
  local n, prefix = #gone, kind.prefix
  if not prefix then
    gone[n + 1] = kind.own .. "dead-letter:" .. id
    return
  end
  gone[n + 1], gone[n + 2] = prefix .. id, prefix .. id .. ":logs"
  if isOurs then return end
  for _, of in ipairs({ ":dependencies", ":processed", ":failed", ":unsuccessful" }) do gone[#gone + 1] = prefix .. id .. of end
  -- First, while its parent can be told; it keeps the last job of a scheduler, and that goes too.
  -- What has ended by itself leaves alone how long a producer wants no duplicates of it.
  call("HDEL", prefix .. id, "deid")
  require("removeJob")({ prefix .. id, prefix .. "repeat" }, { id, "0", prefix }, withoutEvents())
end

-- Whether a parent of BullMQ's still waits for a job, which failed: without it the parent would go on.
local function isAwaited(prefix, id)
  local parent = prefix and call("HGET", prefix .. id, "parentKey")
  return parent and call("SISMEMBER", parent .. ":dependencies", prefix .. id) == 1
end

-- Keys of a queue that are no jobs, behind its prefix. An id that is called so was planted, and its key is left alone.
local noJobs = " wait paused active delayed prioritized waiting-children completed failed meta id events marker pc limiter stalled stalled-check repeat "

-- Whether an id in a set is no job's: then it is taken out, and nothing else is deleted.
local function isNoJob(prefix, id, isOurs)
  if not prefix then return false end
  if string.find(noJobs, " " .. id .. " ", 1, true) then return true end
  if isOurs then return false end
  local reply = redis.pcall("HGET", prefix .. id, "parentKey")
  return type(reply) == "table" and string.find(reply.err, "WRONGTYPE", 1, true) ~= nil
end

-- What `f` returns; nil if a key of a job's parent holds a value of another type, or is none that this user may touch: such a job must not keep all others.
local function unlessSpoilt(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  local why = require("parts/attempt").textOf(reply)
  if string.find(why, "WRONGTYPE", 1, true) or string.find(why, "access a key", 1, true) or string.find(why, "of the keys", 1, true) then return nil end
  error(reply, 0)
end

-- What becomes of a member that is to go: "awaited" if a parent waits for it, else its keys are added to `gone`.
local function release(kind, gone, id, isOurs)
  if isNoJob(kind.prefix, id, isOurs) then return "gone" end
  if not isOurs and unlessSpoilt(isAwaited, kind.prefix, id) then return "awaited" end
  -- Its own keys are noted first.
  unlessSpoilt(add, kind, gone, id, isOurs)
  return "gone"
end

return { add = add, release = release }
