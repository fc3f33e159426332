-- Runs a command and returns its reply; nil if its key holds a value of another type, which counts as missing. Other errors pass; some releases do not name the command that they refuse.
return function(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if string.find(reply.err, "WRONGTYPE", 1, true) then return nil end
  if string.find(reply.err, "can't run this command", 1, true) then
    error({ err = "NOPERM no permissions to run the '" .. string.lower(command) .. "' command in a script" }, 0)
  end
  error(reply, 0)
end
