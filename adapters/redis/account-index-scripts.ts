/**
 * The entries of an account are a Redis hash, by id. A sorted set holds the ids by expiry, so that the entries that
 * expire first are found without reading the others. Another sorted set holds the ids by their last use, for pages.
 * Times are as in `oidc-scripts.ts`.
 *
 * Every write checks the 20 entries that expire first. It removes those that have expired or that exceed the bound. A
 * write adds at most one entry, so any excess becomes smaller with each write. The keys expire one minute after their
 * last entry.
 */
const prelude = `
local function drop(id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
end
local function tidy(now, most)
  local first = redis.call('ZRANGE', KEYS[2], 0, 19, 'WITHSCORES')
  local over = redis.call('ZCARD', KEYS[2]) - most
  for i = 1, #first, 2 do
    if over <= 0 and tonumber(first[i + 1]) > now then break end
    drop(first[i])
    over = over - 1
  end
  local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if not last[2] then return end
  local at = string.format('%.0f', math.ceil(tonumber(last[2])) + 60000)
  redis.call('PEXPIREAT', KEYS[1], at)
  redis.call('PEXPIREAT', KEYS[2], at)
  redis.call('PEXPIREAT', KEYS[3], at)
end
`;

/** KEYS: entries, expiries, uses. ARGV: now, most entries, id, entry, expiresAt, usedAt. */
export const putEntryScript = `${prelude}
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[6], ARGV[3])
tidy(tonumber(ARGV[1]), tonumber(ARGV[2]))
`;

/** KEYS: entries, expiries, uses. ARGV: now, most entries, id. */
export const removeEntryScript = `${prelude}
drop(ARGV[3])
tidy(tonumber(ARGV[1]), tonumber(ARGV[2]))
`;

/**
 * KEYS: entries, expiries, uses. ARGV: now, the number of entries to give, and the last use and the id of the entry before
 * them, or '+inf' and ''. Gives for each entry its id, the entry and its last use.
 *
 * The last release does not write the third key. Its entries get the time 0, and those that it has removed are removed.
 */
export const pageScript = `
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
-- Redis sorts ids byte by byte; the comparison of Lua depends on the locale.
local function isAtLeast(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = one:byte(i), other:byte(i)
    if a ~= b then return a > b end
  end
  return #one >= #other
end
if redis.call('ZCARD', KEYS[2]) ~= redis.call('ZCARD', KEYS[3]) then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do redis.call('ZADD', KEYS[3], 'NX', 0, id) end
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if not redis.call('ZSCORE', KEYS[2], id) then redis.call('ZREM', KEYS[3], id) end
  end
  local expiry = redis.call('PTTL', KEYS[2])
  if expiry > 0 then redis.call('PEXPIRE', KEYS[3], expiry) end
end
local given, from = {}, 0
while #given < most * 3 do
  local ids = redis.call('ZREVRANGEBYSCORE', KEYS[3], ARGV[3], '-inf', 'WITHSCORES', 'LIMIT', from, most)
  if #ids == 0 then break end
  for i = 1, #ids, 2 do
    local isOfSameTime = ARGV[3] ~= '+inf' and tonumber(ids[i + 1]) == tonumber(ARGV[3])
    local isBefore = isOfSameTime and isAtLeast(ids[i], ARGV[4])
    local expiresAt = not isBefore and redis.call('ZSCORE', KEYS[2], ids[i])
    if expiresAt and tonumber(expiresAt) > now and #given < most * 3 then
      given[#given + 1] = ids[i]
      given[#given + 1] = redis.call('HGET', KEYS[1], ids[i])
      given[#given + 1] = ids[i + 1]
    end
  end
  from = from + most
end
return given
`;
