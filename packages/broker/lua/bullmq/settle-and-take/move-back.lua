-- Moves jobs that are on loan to where they are taken from again, with BullMQ's own scripts.
local keysOf, wholly = require("parts/queue-keys"), require("parts/wholly")
local MoveBack = {}

-- To the delayed jobs. `skip`: "1" if that is no attempt. `fields`: what is noted on the job. `ended` is called along with it.
function MoveBack.delayed(request, prefix, id, token, pause, skip, fields, ended)
  return wholly(function(whole)
    local reply = require("moveToDelayed")(
      keysOf(prefix, "marker", "active", "prioritized", "delayed", id, "events", "meta", "stalled", "wait", "limiter", "pc"),
      { prefix, request.now, id, token, pause, skip, fields, "0" }, whole)
    if type(reply) == "number" and reply >= 0 then ended() end
    return reply
  end)
end

-- To those that wait, at the end that `push` says. `ended` is called along with it.
function MoveBack.waiting(request, prefix, id, token, push, fields, ended)
  return wholly(function(whole)
    local reply = require("retryJob")(
      keysOf(prefix, "active", "wait", "paused", id, "meta", "events", "delayed", "prioritized", "pc", "marker", "stalled"),
      { prefix, request.now, push, id, token, fields }, whole)
    if type(reply) == "number" and reply >= 0 then ended() end
    return reply
  end)
end

return MoveBack
