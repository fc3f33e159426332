--[[
  Stores task records and tells those who wait.

  ARGV[1]       what the keys of records start with
  ARGV[2]       longest record that is sent along with a notification, in bytes
  ARGV[3]       how many groups follow, as parts/store-records reads them

  Returns for each record: 0 stored, 1 superseded, 2 fenced
]]
local replies = require("parts/store-records").groups(4, tonumber(ARGV[3]), ARGV[1], tonumber(ARGV[2]))
return replies
