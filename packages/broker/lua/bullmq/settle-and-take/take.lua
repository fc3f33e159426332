--[[
  Takes messages from the queues in their turn, if there is a reason to look into any of them. Most calls of an idle worker end here.

  A queue whose keys somebody has spoilt yields nothing, and costs the others nothing.
]]
local call = redis.call

-- A marker of score 0 says that there is a job, one of a later time that a delayed job is due then. BullMQ sets none while as many run at once
-- as may: there, each end is a reason to look.
local function isMarked(now, prefix)
  local marker = call("ZRANGE", prefix .. "marker", 0, 0, "WITHSCORES")
  return marker[2] and tonumber(marker[2]) <= tonumber(now) or call("HEXISTS", prefix .. "meta", "concurrency") == 1
end

-- Takes what is wanted, from the queues in the turns that ARGV has from `at` on.
local function all(request, reply, at)
  local turns, isOpen = {}, {}
  for i = at, #ARGV do
    local turn = tonumber(ARGV[i])
    local queue = math.abs(turn)
    if isOpen[queue] == nil then
      local ok, answer = turn > 0, true
      if not ok then ok, answer = pcall(isMarked, request.now, KEYS[2 * queue - 1]) end
      if not ok then require("bullmq/settle-and-take/take-batch").noteFault(reply, queue, answer.err or tostring(answer), 0) end
      isOpen[queue] = ok and answer or false
    end
    if isOpen[queue] then turns[#turns + 1] = queue end
  end
  if #turns > 0 then require("bullmq/settle-and-take/take-queues").all(request, reply, turns) end
end

return { all = all }
