--[[
  Reads entries.

  KEYS[1]       what the keys of beat start with
  ARGV          their names

  Returns each as `read` in `entries.lua` gives it, false where there is none
]]
--- @include bullmq/beat/entries

local found = {}
for at, name in ipairs(ARGV) do found[at] = read(name) end
return found
