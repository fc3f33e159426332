--[[
  What is to fail, or to be dropped, without having run: a lot of it at a time.

  Reads of the script: all of flow/following
]]
-- Most in one lot: calls and joins, and bytes of the mishaps of all of them.
local mostDoomed = { units = 100, bytes = 1024 * 1024 }

-- The text of a mishap; false if there is none.
local function mishapIn(flow, number)
  flow.mishaps = flow.mishaps or {}
  if not flow.mishaps[number] then flow.mishaps[number] = call("HGET", flow.key, "m" .. number) end
  return flow.mishaps[number]
end

-- What an entry of the list says: its kind, the first and the last number, mishap, enters, failed. Nothing if it is none, or is about calls that the flow does not have.
local function readDoomed(flow, entry)
  local kind, rest = string.match(entry, "^(%a+) (.*)$")
  local first, last, mishap, enters, failed
  if kind == "calls" then first, last, mishap, enters, failed = string.match(rest, "^(%d+) (%d+) (%d+) (%S*) ?(%S*)$")
  elseif kind == "call" then first, mishap, enters, failed = string.match(rest, "^(%d+) (%d+) (%S*) ?(%S*)$")
  elseif kind == "drop" or kind == "join" then first = string.match(rest, "^%d+$") end
  if not first or (mishap and not mishapIn(flow, mishap)) then return nil end
  first, last = tonumber(first), tonumber(last or first)
  if kind == "join" then return Stored.isIndex(first) and kind or nil, first, first end
  if not Stored.has(flow, first) then return nil end
  if last > first then last = math.min(last, flow.calls - 1, Stored.size(flow) - 1) end
  return kind, first, last, mishap, enters or "", failed or ""
end

-- Calls `visit(kind, number, mishap, enters, failed)` for the first of what is doomed, at most `most` of it, and gives how many there were, how many entries of the list they are, and
-- what is to stand in the place of the next entry, if a part of it was among them.
local function eachDoomed(flow, most, visit)
  local units, bytes, entries = 0, 0, 0
  for _, entry in ipairs(Stored.ask("LRANGE", flow.key .. ":doom", 0, mostDoomed.units - 1) or {}) do
    local kind, first, last, mishap, enters, failed = readDoomed(flow, entry)
    for number = kind and first or 0, kind and last or -1 do
      bytes = bytes + (mishap and #mishapIn(flow, mishap) or 0)
      if units == most or (bytes > mostDoomed.bytes and units > 0) then
        return units, entries, number > first and table.concat({ kind, number, last, mishap, enters, failed }, " ") or nil
      end
      visit(kind == "calls" and "call" or kind, number, mishap, enters, failed)
      units = units + 1
    end
    entries = entries + 1
  end
  return units, entries, nil
end
