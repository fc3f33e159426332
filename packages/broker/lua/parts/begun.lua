--[[
  Which deliveries of a job have begun to run and not ended: the field `begun` holds their numbers, each between spaces. Without the field that is the first one, which
  nobody counts, or none if the job has ended before. Each can be said twice: a reply may be lost.
]]
-- Longest list that is read, in bytes: of so many crashes nobody counts the rest.
local longestBegun = 4096

local function begunOf(begun, ended)
  return begun and string.sub(begun, 1, longestBegun) or ((tonumber(ended) or 0) > 0 and " " or " 1 ")
end

local function readBegun(jobKey)
  return begunOf(unpack(redis.call("HMGET", jobKey, "begun", "atm")))
end

local function hasBegun(jobKey, number)
  local begun = readBegun(jobKey)
  if not string.find(begun, " " .. number .. " ", 1, true) then redis.call("HSET", jobKey, "begun", begun .. number .. " ") end
end

-- It has ended where it ran, and is no crash.
local function hasEnded(jobKey, number)
  local left, count = string.gsub(readBegun(jobKey), " " .. number .. " ", " ")
  if count > 0 then redis.call("HSET", jobKey, "begun", left) end
end

-- How many have begun and not ended when a job is taken for the nth time.
local function crashesOf(times, begun, ended)
  if times <= 1 then return 0 end
  local _, count = string.gsub(begunOf(begun, ended), "%d+", "")
  return count
end
