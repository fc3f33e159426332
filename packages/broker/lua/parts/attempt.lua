-- Runs functions that may fail, and tells their errors apart.

-- The text of an error that pcall has caught.
local function textOf(trouble)
  return type(trouble) == "table" and trouble.err or tostring(trouble)
end

-- What `f` returns, or the text of its error.
local function run(f, ...)
  local ok, reply = pcall(f, ...)
  if ok then return reply end
  return textOf(reply)
end

-- Whether an error says that a key holds a value of another type.
local function isWrongType(trouble)
  return string.find(textOf(trouble), "WRONGTYPE", 1, true) ~= nil
end

-- Whether a replica refused: it wrote nothing, so the whole call is for the primary.
local function isForPrimary(reply)
  return type(reply) == "string" and string.find(reply, "READONLY", 1, true) ~= nil
end

return { textOf = textOf, run = run, isWrongType = isWrongType, isForPrimary = isForPrimary }
