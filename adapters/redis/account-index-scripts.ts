/**
 * The entries of an account are a Redis hash, by id. A sorted set holds the ids by expiry, so that the entries that
 * expire first are found without reading the others. Times are as in `oidc-scripts.ts`.
 *
 * Every write checks the 20 entries that expire first. It removes those that have expired or that exceed the bound. A
 * write adds at most one entry, so any excess becomes smaller with each write. Both keys expire one minute after their
 * last entry.
 */
const prelude = `
local function drop(id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
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
end
`;

/** KEYS: entries, expiries. ARGV: now, most entries, id, entry, expiresAt. */
export const putEntryScript = `${prelude}
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[3])
tidy(tonumber(ARGV[1]), tonumber(ARGV[2]))
`;

/** KEYS: entries, expiries. ARGV: now, most entries, id. */
export const removeEntryScript = `${prelude}
drop(ARGV[3])
tidy(tonumber(ARGV[1]), tonumber(ARGV[2]))
`;
