--[[
  What is to fail, or to be dropped, without having run: a batch of it at a time. `<flow>:cascade` is a list of entries:
    call n f s b        call n fails with failure f. s: joins of whose groups it starts a member. b: the call that failed, and ":" and the number of the failure that error links get, if that
                        is another; "" if it is the call itself, behind a group
    calls n n f s b     the same for the calls from the first n to the second
    drop n              call n is dropped
    join n              join n fails, in words that have to be found first
]]
local call = redis.call
local StoredFlow = require("bullmq/flow/stored-flow")
-- Most in one batch: calls and joins, and bytes of the failures of all of them.
local Cascade = { units = 100, bytes = 1024 * 1024 }

-- The text of a failure; false if there is none.
function Cascade.failure(flow, number)
  flow.failures = flow.failures or {}
  if not flow.failures[number] then flow.failures[number] = call("HGET", flow.key, "f" .. number) end
  return flow.failures[number]
end

-- What an entry of the list says: its kind, the first and the last number, failure, startsMembersOf, failed. Nothing if it is none, or is about calls that the flow does not have.
local function read(flow, entry)
  local kind, rest = string.match(entry, "^(%a+) (.*)$")
  local first, last, failure, startsMembersOf, failed
  if kind == "calls" then first, last, failure, startsMembersOf, failed = string.match(rest, "^(%d+) (%d+) (%d+) (%S*) ?(%S*)$")
  elseif kind == "call" then first, failure, startsMembersOf, failed = string.match(rest, "^(%d+) (%d+) (%S*) ?(%S*)$")
  elseif kind == "drop" or kind == "join" then first = string.match(rest, "^%d+$") end
  if not first or (failure and not Cascade.failure(flow, failure)) then return nil end
  first, last = tonumber(first), tonumber(last or first)
  if kind == "join" then return StoredFlow.isIndex(first) and kind or nil, first, first end
  if not StoredFlow.has(flow, first) then return nil end
  if last > first then last = math.min(last, flow.calls - 1, StoredFlow.size(flow) - 1) end
  return kind, first, last, failure, startsMembersOf or "", failed or ""
end

-- Calls `visit(kind, number, failure, startsMembersOf, failed)` for the first calls and joins of the list, at most `most` of them. Returns how many there were, how many entries of the list they
-- are, and what is to stand in the place of the next entry, if a part of it was among them.
function Cascade.each(flow, most, visit)
  local units, bytes, entries = 0, 0, 0
  for _, entry in ipairs(StoredFlow.ask("LRANGE", flow.key .. ":cascade", 0, Cascade.units - 1) or {}) do
    local kind, first, last, failure, startsMembersOf, failed = read(flow, entry)
    for number = kind and first or 0, kind and last or -1 do
      bytes = bytes + (failure and #Cascade.failure(flow, failure) or 0)
      if units == most or (bytes > Cascade.bytes and units > 0) then
        return units, entries, number > first and table.concat({ kind, number, last, failure, startsMembersOf, failed }, " ") or nil
      end
      visit(kind == "calls" and "call" or kind, number, failure, startsMembersOf, failed)
      units = units + 1
    end
    entries = entries + 1
  end
  return units, entries, nil
end

return Cascade
