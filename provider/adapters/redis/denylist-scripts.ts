/**
 * Every key of the copy has the same hash tag, so that one question is one command on a cluster, too: `r:…` an entry, gone
 * by itself when it expires, whose value is until when; `w` that the copy is whole; `b:…` that one is being made.
 * Losing its data, Redis loses `w` as well.
 */

/** KEYS: entries. ARGV: until when, for each. An entry that is there already keeps the later expiry. */
export const putScript = `
for index, key in ipairs(KEYS) do
  local before = tonumber(redis.call('GET', key) or '0')
  if tonumber(ARGV[index]) > before then
    redis.call('SET', key, ARGV[index], 'PXAT', string.format('%.0f', math.ceil(tonumber(ARGV[index])) + 60000))
  end
end
`;

/** KEYS: that it is whole, that it is being made. Gives 1 when it is whole now. */
export const declareWholeScript = `
if redis.call('DEL', KEYS[2]) == 0 then return 0 end
redis.call('SET', KEYS[1], '1')
return 1
`;
