/**
 * A family is a Redis hash with these fields:
 * - `a`: account
 * - `c`: client
 * - `h`: current hash
 * - `p`: payload
 * - `e`: expiry
 * - `d`: the client's `sid`, if it has one
 *
 * An ended family has only one field:
 * - `t`: time until which the family stays ended
 *
 * A second Redis hash has the stored response ('answer') of the last rotation:
 * - `s`: the sealed response
 * - `u`: time until which it is returned
 *
 * Times are as in `oidc-scripts.ts`.
 */
const prelude = `
local function expire(key, at)
  redis.call('PEXPIREAT', key, string.format('%.0f', math.ceil(tonumber(at)) + 60000))
end
local function ahead(time)
  return time and tonumber(time) > tonumber(ARGV[1])
end
`;

/** KEYS: family, answer. ARGV: now, account, client, hash, payload, expiresAt, and, if there is one, the `sid`. Gives 1 when it was opened. */
export const openScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 't', 'e')
if ahead(old[1]) or ahead(old[2]) then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'a', ARGV[2], 'c', ARGV[3], 'h', ARGV[4], 'p', ARGV[5], 'e', ARGV[6])
if ARGV[7] then redis.call('HSET', KEYS[1], 'd', ARGV[7]) end
expire(KEYS[1], ARGV[6])
return 1
`;

/**
 * KEYS: family, answer. ARGV: now. Gives account, client, hash, payload, expiry, `sid` and, before its `u`, the
 * sealed response.
 */
export const findScript = `${prelude}
local family = redis.call('HMGET', KEYS[1], 'a', 'c', 'h', 'p', 'e', 'd')
if not ahead(family[5]) then return {} end
local answer = redis.call('HMGET', KEYS[2], 'u', 's')
if ahead(answer[1]) then family[7] = answer[2] end
return family
`;

/**
 * KEYS: family, answer. ARGV: now, hash to replace, new hash, payload, expiresAt, and, if a response is kept, the sealed
 * response and its `u`. Gives 1 when the hash was replaced.
 */
export const rotateScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 'e', 'h')
if not ahead(old[1]) or old[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'h', ARGV[3], 'p', ARGV[4], 'e', ARGV[5])
expire(KEYS[1], ARGV[5])
if not ARGV[6] then
  redis.call('DEL', KEYS[2])
  return 1
end
redis.call('HSET', KEYS[2], 's', ARGV[6], 'u', ARGV[7])
expire(KEYS[2], ARGV[7])
return 1
`;

/** KEYS: family, answer. ARGV: now, until. */
export const endScript = `${prelude}
local ended = redis.call('HGET', KEYS[1], 't')
local till = ARGV[2]
if ended and tonumber(ended) > tonumber(till) then till = ended end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 't', till)
expire(KEYS[1], till)
`;
