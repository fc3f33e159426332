-- Checks a group of late successes: their leases ran out, and the work is done all the same, whoever has their messages now. What waits again and has no result that would say so is marked
-- instead: whoever takes it does not run it. `accept` and `fail` are called for each settlement, as in settle-batch.
local call = redis.call
return function(reply, batch, accept, fail)
  local prefix, seen = batch.prefix, {}
  for i = 1, batch.count do
    local place = batch.at + (i - 1) * batch.width
    local id, number = ARGV[place], batch.number + i
    local job = redis.pcall("HMGET", prefix .. id, "ats", "finishedOn")
    local times = tonumber(job[1] or nil)
    if job.err then
      fail(reply, number, job.err)
    elseif seen[id] or job[2] or not times or times < tonumber(ARGV[place + 1]) then
      fail(reply, number, -1)
    elseif call("LPOS", prefix .. "active", id) then
      accept(batch, id, place, number, prefix .. id .. ":lock")
      seen[id] = true
    elseif ARGV[place + 2] ~= "1" then
      call("HSET", prefix .. id, "verdict", "succeeded")
    end
  end
end
