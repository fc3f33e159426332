-- The number under which a text is kept in a flow, in a field that begins with `kind`: "v" for a value, "f" for a failure. No other text has had it: what an earlier call left there has others.
local call = redis.call
return function(flow, kind, text)
  flow.texts = flow.texts or {}
  if not flow.texts[kind .. text] then
    local number = call("HINCRBY", flow.key, "texts", 1)
    call("HSET", flow.key, kind .. number, text)
    flow.texts[kind .. text] = number
  end
  return flow.texts[kind .. text]
end
