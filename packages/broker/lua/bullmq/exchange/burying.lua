--[[
  Keeps what could not be run in the morgue, for inspection.

  Reads of the exchange: call, now, worker
]]
local morgueLength = 10000

-- `job`: its name and its data.
local function bury(morgue, id, reason, job)
  call("XADD", morgue, "MAXLEN", "~", morgueLength, "*",
    "id", id, "at", now, "reason", reason, "worker", worker, "name", job[1] or "", "data", job[2] or "")
end
