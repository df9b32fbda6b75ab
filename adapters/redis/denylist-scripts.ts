/**
 * The copy is one sorted set, so that it is lost as a whole or not at all, whatever Redis evicts when its memory is full:
 * entries on keys of their own could go one by one, under a policy that takes only what expires, and nobody would notice.
 * Its members are `r:…` an entry, whose score is until when it holds; `b:…` that a copy is being made; `w` that it is whole.
 */

/** The maximum number of expired entries that one call removes, so that no call takes long. */
const prunedAtOnce = 1000;

/**
 * KEYS: the set. ARGV: until when, and which entry, for each. An entry that is there already keeps the later time. What has
 * been over for a minute goes; by the clock here, so the minute is for processes whose clocks are behind it.
 */
export const putScript = `
redis.call('ZADD', KEYS[1], 'GT', unpack(ARGV))
local now = tonumber(redis.call('TIME')[1]) * 1000
local limit = string.format('(%.0f', now - 60000)
local over = redis.call('ZRANGE', KEYS[1], '-inf', limit, 'BYSCORE', 'LIMIT', 0, ${prunedAtOnce})
if #over > 0 then redis.call('ZREM', KEYS[1], unpack(over)) end
`;

/** KEYS: the set. ARGV: that it is being made, that it is whole. Gives 1 when it is whole now. */
export const declareWholeScript = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZADD', KEYS[1], 'inf', ARGV[2])
return 1
`;
