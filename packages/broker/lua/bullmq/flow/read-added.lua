--[[
  Reads what flows say of calls that were added to them, for all of a take at once.

  ARGV          key of a flow and number of a call, in turn

  Returns for each call the text of its field; false where there is none, or where its key holds a value of another type
]]
local replies = {}
for at = 1, #ARGV, 2 do
  local text = redis.pcall("HGET", ARGV[at], "a" .. ARGV[at + 1])
  local failed = type(text) == "table" and text.err
  if failed and not string.find(failed, "WRONGTYPE", 1, true) then return text end
  replies[#replies + 1] = not failed and text
end
return replies
