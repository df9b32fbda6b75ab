/**
 * The copy of the denylist is one sorted set, so that it is lost completely or not at all. If each entry had its own
 * key and Redis had too little memory, its eviction could remove single entries, and no process would notice. The
 * members of the set are:
 * - `r:…`: an entry. Its score is the time until which the key is revoked.
 * - `b:…`: a process is copying all entries.
 * - `w`: the copy is complete ('whole').
 */

/** The maximum number of expired entries that one call removes, so that no call takes long. */
const prunedAtOnce = 1000;

/**
 * KEYS: the set. ARGV: for each entry, its expiry and its member. An existing entry keeps the later expiry. Entries
 * that expired more than one minute ago are removed. The clock of Redis decides this, and the minute is for processes
 * whose clocks are behind.
 */
export const putScript = `
redis.call('ZADD', KEYS[1], 'GT', unpack(ARGV))
local now = tonumber(redis.call('TIME')[1]) * 1000
local limit = string.format('(%.0f', now - 60000)
local over = redis.call('ZRANGE', KEYS[1], '-inf', limit, 'BYSCORE', 'LIMIT', 0, ${prunedAtOnce})
if #over > 0 then redis.call('ZREM', KEYS[1], unpack(over)) end
`;

/** KEYS: the set. ARGV: the `b:…` member, the `w` member. Gives 1 when the copy is complete now. */
export const declareWholeScript = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZADD', KEYS[1], 'inf', ARGV[2])
return 1
`;
