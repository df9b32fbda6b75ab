/**
 * A bucket is a number: the time at which it is full again. Attempts are a Redis hash with these fields:
 * - `n`: number of attempts
 * - `a`: time of the last attempt
 * - `k`: time until which the key is known
 * - `v`: the version for which it is known
 *
 * Times are whole milliseconds of the caller's clock. Redis keys expire after a duration, so the clock of Redis has no
 * effect on them. If a caller whose clock is ahead wrote a time, the next refused call corrects it with its own time.
 */
const bucket = `
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local whole = interval * burst
local full = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now), now + whole)
local function put(at)
  redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', string.format('%.0f', at - now))
end
`;

/**
 * KEYS: bucket. ARGV: now, interval, burst. Gives 0 when a token was taken, otherwise the milliseconds until there is
 * one.
 */
export const takeScript = `${bucket}
local wait = math.max(0, full + interval - now - whole)
put(wait > 0 and full or full + interval)
return wait
`;

/** KEYS: bucket. ARGV: now, interval, burst. */
export const giveBackScript = `${bucket}
if full - interval > now then put(full - interval) else redis.call('DEL', KEYS[1]) end
`;

/**
 * KEYS: attempts. ARGV: now, free attempts, first wait, longest wait, time after which free attempts are forgotten,
 * time after which others are forgotten. Gives the wait, and the version for which the key is known. All times are in
 * milliseconds.
 */
export const attemptScript = `
local now, free = tonumber(ARGV[1]), tonumber(ARGV[2])
local function forgotten(tries)
  return tonumber(tries < free and ARGV[5] or ARGV[6])
end
local old = redis.call('HMGET', KEYS[1], 'n', 'a', 'k', 'v')
local tries = tonumber(old[1] or '0')
local last = math.min(tonumber(old[2] or '0'), now)
local known = math.max(tonumber(old[3] or '0') - now, 0)
if now - last >= forgotten(tries) then tries = 0 end
local wait = 0
if tries >= free then
  wait = math.min(tonumber(ARGV[4]), tonumber(ARGV[3]) * 2 ^ math.min(tries - free, 30))
end
local left = last + wait - now
if tries > 0 and left > 0 then
  redis.call('HSET', KEYS[1], 'a', string.format('%.0f', last))
else
  left = 0
  redis.call('HSET', KEYS[1], 'n', tries + 1, 'a', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(forgotten(tries + 1), known)))
end
return {left, known > 0 and tonumber(old[4]) or false}
`;

/** KEYS: attempts. */
export const withdrawScript = `
local tries, known = unpack(redis.call('HMGET', KEYS[1], 'n', 'k'))
tries = tonumber(tries or '0')
if tries == 1 and not known then redis.call('DEL', KEYS[1]) end
if tries > 1 or (tries == 1 and known) then redis.call('HINCRBY', KEYS[1], 'n', -1) end
`;

/** KEYS: attempts. ARGV: time until which the key is known, the same as a duration, and the version. In milliseconds. */
export const forgiveScript = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'k', ARGV[1], 'v', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** KEYS: attempts. ARGV: now. Gives the version for which the key is known. */
export const knownForScript = `
local known = redis.call('HMGET', KEYS[1], 'k', 'v')
return tonumber(known[1] or '0') > tonumber(ARGV[1]) and tonumber(known[2]) or false
`;
