-- What a command gives; nil if its key holds something of another kind, which is as good as nothing. Other errors pass; a refusal of some releases does not name its command.
local function ask(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if string.find(reply.err, "WRONGTYPE", 1, true) then return nil end
  if string.find(reply.err, "can't run this command", 1, true) then
    error({ err = "NOPERM no permissions to run the '" .. string.lower(command) .. "' command in a script" }, 0)
  end
  error(reply, 0)
end
