--[[
  Adds the next job of a job scheduler, when one of its jobs is taken. Does nothing when that was done before, or the scheduler is gone.

  KEYS[1]    what the keys of the queue start with
  ARGV[1]    now, ms
  ARGV[2]    id of the scheduler
  ARGV[3]    id of the job that was taken
  ARGV[4]    when the next one is due, ms, or "" for BullMQ to reckon it from the time between two
  ARGV[5]    options of the next one, JSON

  Returns why it could not be added, or false
]]
local prefix = KEYS[1]
local keys = { "repeat", "delayed", "wait", "paused", "meta", "prioritized", "marker", "id", "events", "pc", ARGV[3], "active" }
for i, suffix in ipairs(keys) do keys[i] = prefix .. suffix end

local ok, reply = pcall(require("parts/wholly"), function(whole)
  return require("updateJobScheduler")(keys, { ARGV[4], ARGV[2], "", cmsgpack.pack(cjson.decode(ARGV[5])), ARGV[1], prefix, ARGV[3] }, whole)
end)
if ok then return false end
local reason = type(reply) == "table" and reply.err or tostring(reply)
-- Redis refuses for now: to be tried again. Anything else would fail the same way every time.
if string.find(reason, "OOM", 1, true) or string.find(reason, "READONLY", 1, true) then return redis.error_reply(reason) end
return reason
