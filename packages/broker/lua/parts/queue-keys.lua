-- Keys of a queue by their suffixes, in the order of these.
return function(prefix, ...)
  local keys = { ... }
  for i, suffix in ipairs(keys) do keys[i] = prefix .. suffix end
  return keys
end
