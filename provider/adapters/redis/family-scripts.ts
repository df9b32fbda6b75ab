/**
 * A family is a hash: `a` account, `c` client, `h` current hash, `p` payload, `e` expiry, and of the token before,
 * `ph` hash and `ps` when it was spent. An ended family is the same hash with nothing but `t`, until when it stays
 * ended. Times as in `oidc-scripts.ts`.
 */
const prelude = `
local function expire(at)
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil(tonumber(at)) + 60000))
end
local function ahead(time)
  return time and tonumber(time) > tonumber(ARGV[1])
end
`;

/** KEYS: family. ARGV: now, account, client, hash, payload, expiresAt. Gives 1 when it was opened. */
export const openScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 't', 'e')
if ahead(old[1]) or ahead(old[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'a', ARGV[2], 'c', ARGV[3], 'h', ARGV[4], 'p', ARGV[5], 'e', ARGV[6])
expire(ARGV[6])
return 1
`;

/** KEYS: family. ARGV: now, hash to replace, its successor, payload, expiresAt, at. Gives 1 when it was replaced. */
export const rotateScript = `${prelude}
local old = redis.call('HMGET', KEYS[1], 'e', 'h')
if not ahead(old[1]) or old[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'h', ARGV[3], 'p', ARGV[4], 'e', ARGV[5], 'ph', ARGV[2], 'ps', ARGV[6])
expire(ARGV[5])
return 1
`;

/** KEYS: family. ARGV: now, until. */
export const endScript = `${prelude}
local ended = redis.call('HGET', KEYS[1], 't')
local till = ARGV[2]
if ended and tonumber(ended) > tonumber(till) then till = ended end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 't', till)
expire(till)
`;
