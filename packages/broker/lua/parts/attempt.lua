-- What `f` gives, or its error as text.
local function attempt(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  return type(reply) == "table" and reply.err or tostring(reply)
end

-- Whether a replica refused: it wrote nothing, so the whole call is for the primary.
local function isForPrimary(reply)
  return type(reply) == "string" and string.find(reply, "READONLY", 1, true) ~= nil
end
