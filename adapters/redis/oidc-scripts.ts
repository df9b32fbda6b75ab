/**
 * An artifact is a Redis hash with these fields:
 * - `p`: payload
 * - `e`: expiry
 * - `i`: index key
 * - `c`: time of consumption
 * - `k`: time until which a consumed artifact is kept
 *
 * An index entry is a Redis hash with these fields:
 * - `a`: key of the artifact that was put last
 * - `t`: time until which the index is ended
 * - `e`: time until which the entry is needed
 *
 * Times are decimal milliseconds and are compared with the caller's clock. The expiry of the Redis keys only frees
 * memory. It is one minute later, because the clock of Redis may be ahead of the caller's.
 */
const prelude = `
local function expire(key, at)
  redis.call('PEXPIREAT', key, string.format('%.0f', math.ceil(tonumber(at)) + 60000))
end
local function later(a, b)
  if a and (not b or tonumber(a) > tonumber(b)) then return a end
  return b
end
local function live(expiresAt, keptUntil)
  return expiresAt and tonumber(later(keptUntil, expiresAt)) > tonumber(ARGV[1])
end
local function write(payload, expiresAt, index)
  redis.call('HSET', KEYS[1], 'p', payload, 'e', expiresAt)
  if index == '' then redis.call('HDEL', KEYS[1], 'i') else redis.call('HSET', KEYS[1], 'i', index) end
  expire(KEYS[1], later(redis.call('HGET', KEYS[1], 'k'), expiresAt))
end
`;

/** KEYS: artifact. ARGV: now, payload, expiresAt, index key or ''. */
export const putScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 'e', 'k')
if not live(old[1], old[2]) then redis.call('DEL', KEYS[1]) end
write(ARGV[2], ARGV[3], ARGV[4])
`;

/** KEYS: artifact. ARGV: now, payload, expiresAt, index key or ''. Gives 1 when it was written. */
export const putIfAbsentScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 'e', 'k')
if live(old[1], old[2]) then return 0 end
redis.call('DEL', KEYS[1])
write(ARGV[2], ARGV[3], ARGV[4])
return 1
`;

/**
 * KEYS: artifact. ARGV: now, at, keepUntil, and the index key that the caller has checked and found not ended, or ''.
 * Gives {outcome, detail}. The outcome `indexed` names an index key that the caller must check first: the entry of the
 * index is in another slot, so this script can't read it.
 */
export const consumeScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 'e', 'k', 'c', 'i')
if not live(old[1], old[2]) then return {'missing'} end
if old[4] and old[4] ~= ARGV[4] then return {'indexed', old[4]} end
if old[3] then return {'lost', old[3]} end
redis.call('HSET', KEYS[1], 'c', ARGV[2], 'k', ARGV[3])
expire(KEYS[1], later(old[1], ARGV[3]))
return {'won'}
`;

/** KEYS: index entry. ARGV: artifact key, expiresAt. */
export const pointScript = `${prelude}
local needed = later(redis.call('HGET', KEYS[1], 'e'), ARGV[2])
redis.call('HSET', KEYS[1], 'a', ARGV[1], 'e', needed)
expire(KEYS[1], needed)
`;

/** KEYS: index entry. ARGV: until. */
export const endIndexScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 't', 'e')
local needed = later(old[2], ARGV[1])
redis.call('HSET', KEYS[1], 't', later(old[1], ARGV[1]), 'e', needed)
expire(KEYS[1], needed)
`;
