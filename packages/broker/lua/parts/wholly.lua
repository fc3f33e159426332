--[[
  Runs scripts of BullMQ whole or not at all. They delete where a job was before they write where it goes: if Redis refused something in between, the job would be in no list. So
  what deletes is put off until all else is written, and when something is refused, what was written is taken back.

  What is put off answers as if it were done, and asks Redis at once, for something that is not there, whether the user may delete. That changes nothing; as the first write of a
  script it has a full Redis let the later ones pass, as BullMQ's own first write does.

  `body` is called with what stands for `redis` in the scripts that it calls. Returns what it returns; an error passes.
]]
return function(body)
  local call = redis.call
  -- What takes back each write; by key what is put off, and how many members of it; the keys in their order.
  local undo, off, gone, keys = {}, {}, {}, {}
  -- The command that runs: a refusal of some releases does not name it.
  local running

  local function putOff(isPlace, count, command, key, ...)
    if not off[key] then
      off[key] = { isPlace = isPlace }
      keys[#keys + 1] = key
    end
    local list = off[key]
    list[#list + 1] = { command, key, ... }
    gone[key] = (gone[key] or 0) + count
  end

  -- Whether a member is to be removed already: who asks again finds it gone.
  local function isOff(key, member)
    for _, one in ipairs(off[key] or {}) do
      if one[3] == member then return true end
    end
    return false
  end

  -- What was written before is not taken back any more.
  local function deleteNow(key)
    local list = off[key]
    off[key], gone[key] = nil, nil
    for _, one in ipairs(list) do
      call(unpack(one))
      undo = {}
    end
  end

  local deletes = {
    LREM = function(key, count, member)
      call("LREM", key .. ":", count, member)
      if not call("LPOS", key, member) then return 0 end
      putOff(true, 1, "LREM", key, count, member)
      return 1
    end,
    ZREM = function(key, ...)
      call("ZREM", key, "")
      local count = select("#", ...)
      if count == 1 and (isOff(key, ...) or not call("ZSCORE", key, ...)) then return 0 end
      putOff(true, count, "ZREM", key, ...)
      return count
    end,
    ZPOPMIN = function(key)
      call("ZREM", key, "")
      local first = call("ZRANGE", key, 0, 0, "WITHSCORES")
      if first[1] then putOff(true, 1, "ZREM", key, first[1]) end
      return first
    end,
    SREM = function(key, member)
      call("SREM", key, "")
      if isOff(key, member) or call("SISMEMBER", key, member) == 0 then return 0 end
      putOff(false, 1, "SREM", key, member)
      return 1
    end,
    DEL = function(...)
      call("DEL", (...) .. ":")
      for _, key in ipairs({ ... }) do putOff(false, 0, "DEL", key) end
      return call("EXISTS", ...)
    end,
  }
  local counts, makes = { LLEN = true, SCARD = true, ZCARD = true }, { HMSET = true, HSET = true, SET = true }

  -- How a write is taken back; nil if it need not be.
  local function undoOf(command, isNew, before, reply, key, first, second)
    if isNew then
      return function()
        -- Whoever may not delete says so: then the next to add it does.
        if type(redis.pcall("DEL", key)) == "table" then call("HSET", key, "unsent", "1") end
      end
    end
    if command == "LPUSH" then return function() call("LREM", key, 1, first) end end
    if command == "RPUSH" then return function() call("LREM", key, -1, first) end end
    if command == "ZADD" then return function() if before then call("ZADD", key, before, second) else call("ZREM", key, second) end end end
    if command == "SADD" and reply == 1 then return function() call("SREM", key, first) end end
    if command == "INCR" and reply == 1 then return function() call("DEL", key) end end
    if command == "HINCRBY" then return function() call("HINCRBY", key, first, -second) end end
    if command == "RPOPLPUSH" and reply then
      return function()
        call("RPUSH", key, reply)
        call("LREM", first, 1, reply)
      end
    end
    return nil
  end

  local function run(command, ...)
    if deletes[command] then return deletes[command](...) end
    local key = ...
    if counts[command] then return call(command, key) - (gone[key] or 0) end
    if off[key] then deleteNow(key) end
    local isNew = makes[command] and call("EXISTS", key) == 0
    local before = command == "ZADD" and call("ZSCORE", key, (select(3, ...)))
    running = command
    local reply = call(command, ...)
    running = nil
    undo[#undo + 1] = undoOf(command, isNew and reply, before, reply, ...)
    return reply
  end

  local ok, reply = pcall(function()
    local given = body(setmetatable({ call = run }, { __index = redis }))
    -- Where jobs were comes first, the one that the script is about last of these; then the locks.
    for at = #keys, 1, -1 do
      if off[keys[at]] and off[keys[at]].isPlace then deleteNow(keys[at]) end
    end
    for _, key in ipairs(keys) do
      if off[key] then deleteNow(key) end
    end
    return given
  end)
  if ok then return reply end
  for at = #undo, 1, -1 do pcall(undo[at]) end
  local why = type(reply) == "table" and reply.err or tostring(reply)
  if running and string.find(why, "can't run this command", 1, true) then
    error({ err = "NOPERM no permissions to run the '" .. string.lower(running) .. "' command in a script" }, 0)
  end
  error(reply, 0)
end
