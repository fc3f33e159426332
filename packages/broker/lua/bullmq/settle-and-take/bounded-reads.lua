-- Reads jobs of plain producers, whose fields may be of any length.
local call = redis.call
local BoundedReads = {
  -- Longest options of a job that are read, in bytes.
  longestOptions = 65536,
}

-- A field of a job; false if it has more than `most` bytes.
function BoundedReads.field(jobKey, field, most)
  return call("HSTRLEN", jobKey, field) <= most and call("HGET", jobKey, field)
end

-- The table that a JSON text holds; an empty one when it holds none.
function BoundedReads.decoded(json)
  local ok, value = pcall(cjson.decode, json or "")
  return ok and type(value) == "table" and value or {}
end

-- What a plain producer asked for; our own messages ask for nothing.
function BoundedReads.options(jobKey)
  return BoundedReads.decoded(BoundedReads.field(jobKey, "opts", BoundedReads.longestOptions))
end

return BoundedReads
