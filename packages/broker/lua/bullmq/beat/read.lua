--[[
  Reads entries.

  KEYS[1]       what the keys of beat start with
  ARGV          their names

  Returns each as `Entries.read` returns it, false where there is none
]]
local Entries = require("bullmq/beat/entries")

local found = {}
for at, name in ipairs(ARGV) do found[at] = Entries.read(name) end
return found
