-- Reads the state of a record without reading the whole.
local RecordState = { terminal = { SUCCESS = true, FAILURE = true, REVOKED = true } }

-- State of the record under a key, and the delivery that stored or claimed it. Nothing when there is no record, or something else in its place.
function RecordState.of(key)
  local head = redis.pcall("GETRANGE", key, 0, 120)
  if type(head) ~= "string" then return nil end
  local state, delivery = string.match(head, '^{"state":"([^"]*)","delivery":(%d+)')
  return state, tonumber(delivery)
end

return RecordState
