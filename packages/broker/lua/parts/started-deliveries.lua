--[[
  Which deliveries of a job have started to run and not ended: the field `startedDeliveries` holds their numbers, each between spaces. Without the field that is the first
  one, which nobody counts, or none if the job has ended before. Each may be noted twice: a reply may be lost.
]]
local call = redis.call

-- Longest list that is read, in bytes: of so many crashes nobody counts the rest.
local longest = 4096

local function listOf(started, ended)
  return started and string.sub(started, 1, longest) or ((tonumber(ended) or 0) > 0 and " " or " 1 ")
end

local function read(jobKey)
  return listOf(unpack(call("HMGET", jobKey, "startedDeliveries", "atm")))
end

-- Notes that delivery `number` starts to run.
local function add(jobKey, number)
  local started = read(jobKey)
  if not string.find(started, " " .. number .. " ", 1, true) then call("HSET", jobKey, "startedDeliveries", started .. number .. " ") end
end

-- Notes that delivery `number` has ended where it ran, and is no crash.
local function remove(jobKey, number)
  local remaining, count = string.gsub(read(jobKey), " " .. number .. " ", " ")
  if count > 0 then call("HSET", jobKey, "startedDeliveries", remaining) end
end

-- How many have started and not ended when a job is taken for the nth time: its crashes.
local function crashes(times, started, ended)
  if times <= 1 then return 0 end
  local _, count = string.gsub(listOf(started, ended), "%d+", "")
  return count
end

return { add = add, remove = remove, crashes = crashes }
