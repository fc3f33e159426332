--[[
  Stores entries that come from options, where they are new or have changed, and removes others.

  KEYS[1]       what the keys of beat start with
  ARGV[1]       token of the term
  ARGV[2]       version of those that are stored
  ARGV[3]       how many entries follow: name and call of each, JSON
  ARGV[…]       names of entries that are not among the options any more

  Returns 1, or 0 if the term is over
]]
--- @include bullmq/beat/entries

if call("GET", leader) ~= ARGV[1] then return 0 end
local now = timeOfServer()
local last = 3 + 2 * tonumber(ARGV[3])
for at = 4, last, 2 do
  local name, text = ARGV[at], ARGV[at + 1]
  local stored = call("HMGET", keyOf(name), "origin", "call")
  if not stored[1] or stored[1] == "options" and stored[2] ~= text then store(name, text, "options", ARGV[2], now) end
end
for at = last + 1, #ARGV do
  -- Meanwhile it may have been set at run time.
  if call("HGET", keyOf(ARGV[at]), "origin") == "options" then drop(ARGV[at]) end
end
return 1
