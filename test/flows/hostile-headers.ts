export const hostileHost = 'evil.example';

/** All headers with which a sender can name another host, protocol or address. */
export const hostileHeaders = {
  host: `${hostileHost}:666`,
  'x-forwarded-host': hostileHost,
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '666',
  'x-forwarded-for': '203.0.113.66',
  'x-forwarded-prefix': '/evil',
  'x-original-url': '/evil',
  'x-rewrite-url': '/evil',
  forwarded: `for=203.0.113.66;host=${hostileHost};proto=https`,
};
