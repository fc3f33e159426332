--[[
  Has whoever takes a message of a flow from now on look for a result first: calls that have not been sent may be revoked.

  KEYS[1]       the flow
  ARGV[1]       the first call to look at; "" for those whose numbers follow
  ARGV[2]       how many from there, at most
  ARGV[3...]    numbers of calls

  Returns nothing if there is no such flow, else { numbers of those that have not ended, queues as JSON, ids that do not follow from the flow's as JSON, numbers of links as JSON,
      the first call that was not looked at, 0 if there is none }
]]
local call = redis.call
local StoredFlow = require("bullmq/flow/stored-flow")
local head = StoredFlow.ask("HMGET", KEYS[1], "remaining", "calls", "queues", "customIds", "links", "added", "layout")
if head then StoredFlow.checkLayout(KEYS[1], string.match(KEYS[1], "[^:]*$"), head[1], head[7]) end
if not head or not head[1] then return false end
local calls = tonumber(head[2] or nil)
local flow = { key = KEYS[1], calls = StoredFlow.isIndex(calls) and calls or 0 }
call("HSET", KEYS[1], "resent", "1")
-- What is added from now on is revoked, too.
if ARGV[1] ~= "" then call("HSET", KEYS[1], "off", "1") end

local open, following = {}, 0
local function look(number)
  if call("GETBIT", KEYS[1] .. ":done", number) == 0 then open[#open + 1] = number end
end
if ARGV[1] == "" then
  for at = 3, #ARGV do
    local number = tonumber(ARGV[at])
    if StoredFlow.has(flow, number) then look(number) end
  end
else
  local all = math.min(flow.calls, StoredFlow.size(flow))
  local to = math.min(all, tonumber(ARGV[1]) + tonumber(ARGV[2]))
  for number = tonumber(ARGV[1]), to - 1 do look(number) end
  if to < all then following = to end
end
return { open, head[3], StoredFlow.customIdsWithAdded(KEYS[1], head[4], tonumber(head[6] or nil), open), head[5], following }
