package stores

import "github.com/redis/go-redis/v9"

// latest(key, before) returns the name of the latest present write, of those
// written before the given millisecond.
const redisLatest = `
local function state(key, name)
  local mark = redis.call('HGET', key, 'm' .. name)
  if not mark then return nil end
  return string.sub(mark, 1, 1), tonumber(string.sub(mark, 2))
end
local function latest(key, before)
  local found = nil
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 1) == 'm' then
      local name = string.sub(field, 2)
      local is, written = state(key, name)
      if is == 'L' and written < before and (not found or name > found) then found = name end
    end
  end
  return found
end
`

// redisPut answers 1, or 0 where the write has been undone.
// KEYS: the document. ARGV: name, now, retention (both in ms), data.
var redisPut = redis.NewScript(redisLatest + `
local key, name, cutoff = KEYS[1], ARGV[1], ARGV[2] - ARGV[3]
local is = state(key, name)
if is == 'U' then return 0 end
if not is then redis.call('HSET', key, 'm' .. name, 'L' .. ARGV[2], 'd' .. name, ARGV[4]) end
redis.call('PERSIST', key)
local settled = latest(key, cutoff)
if not settled then return 1 end
for _, field in ipairs(redis.call('HKEYS', key)) do
  local old = string.sub(field, 2)
  if string.sub(field, 1, 1) == 'm' and old < settled then
    local _, written = state(key, old)
    if written < cutoff then redis.call('HDEL', key, 'm' .. old, 'd' .. old) end
  end
end
return 1
`)

// redisUndo lets the server forget a document of which only marks are left.
// KEYS: the document. ARGV: name, now, retention (both in ms).
var redisUndo = redis.NewScript(redisLatest + `
local key, name = KEYS[1], ARGV[1]
redis.call('HDEL', key, 'd' .. name)
redis.call('HSET', key, 'm' .. name, 'U' .. ARGV[2])
if not latest(key, math.huge) then redis.call('PEXPIRE', key, ARGV[3]) end
return 1
`)

// redisGet answers the name and the data of the visible write, or nothing.
// KEYS: the document.
var redisGet = redis.NewScript(redisLatest + `
local name = latest(KEYS[1], math.huge)
if not name then return {} end
return {name, redis.call('HGET', KEYS[1], 'd' .. name)}
`)
