--[[
  What is to fail, or to be dropped, without having run: a lot of it at a time.

  Reads of the script: all of flow/following
]]
-- Most in one lot: calls and joins, and bytes of the mishaps of all of them.
local mostDoomed = { units = 100, bytes = 1024 * 1024 }

local function mishapIn(flow, number)
  flow.mishaps = flow.mishaps or {}
  if not flow.mishaps[number] then flow.mishaps[number] = call("HGET", flow.key, "m" .. number) end
  return flow.mishaps[number]
end

-- Calls `visit(kind, number, mishap, enters, failed)` for the first of what is doomed, at most `most` of it, and gives how many there were, how many entries of the list they are, and
-- what is to stand in the place of the next entry, if a part of it was among them.
local function eachDoomed(flow, most, visit)
  local units, bytes, entries = 0, 0, 0
  for _, entry in ipairs(call("LRANGE", flow.key .. ":doom", 0, most - 1)) do
    local kind, rest = string.match(entry, "^(%a+) (.*)$")
    local first, last, mishap, enters, failed = rest, rest, nil, "", ""
    if kind == "calls" then first, last, mishap, enters, failed = string.match(rest, "^(%d+) (%d+) (%d+) (%S*) ?(%S*)$")
    elseif kind == "call" then first, mishap, enters, failed = string.match(rest, "^(%d+) (%d+) (%S*) ?(%S*)$") end
    last = kind == "calls" and last or first
    for number = tonumber(first), tonumber(last) do
      bytes = bytes + (mishap and #mishapIn(flow, mishap) or 0)
      if units == most or (bytes > mostDoomed.bytes and units > 0) then
        return units, entries, number > tonumber(first) and table.concat({ kind, number, last, mishap, enters, failed }, " ") or nil
      end
      visit(kind == "calls" and "call" or kind, number, mishap, enters, failed)
      units = units + 1
    end
    entries = entries + 1
  end
  return units, entries, nil
end
