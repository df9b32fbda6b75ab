import fc from 'fast-check';
import { sentinel } from '../bad-input/row.ts';

/** Values that often break programs. */
const notorious = [
  ...[
    '',
    ' ',
    '\0',
    '\r\n',
    '\t',
    '%',
    '%00',
    '%zz',
    '%ff',
    '+',
    '&',
    '=',
    '"',
    "'",
    '\\',
    '`',
    ';',
    '*',
    '_',
    '-1',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'NaN',
    'true',
  ],
  ...[
    '1e999',
    '0x10',
    '9'.repeat(400),
    '../../etc/passwd',
    "' OR 1=1 --",
    '{{7*7}}',
    '<script>alert(1)</script>',
  ],
  ...[
    '\ud800',
    '\udfff\ud800',
    '\ufffd',
    '\ufeff',
    '\u202e',
    '\u200b',
    '\u0130',
    'ﬁ',
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  ],
  ...[
    'a'.repeat(300),
    '\u0301'.repeat(200),
    'x'.repeat(9_000),
    'a.b.c',
    'eyJhbGciOiJub25lIn0.e30.',
    'fam_x.y',
    'http://[',
    'urn:',
  ],
];

/** Text of any UTF-16 units, including half surrogate pairs. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...notorious) },
  fc.string({ maxLength: 40 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 40,
  }),
);

/** Text for a secret field. Every value begins with the sentinel, so that a search can find it. */
export const oddSecret: fc.Arbitrary<string> = oddText.map((text) => `${sentinel}${text}`);

/** Whether a field of this name holds a secret. */
export const isSecretName = (name: string): boolean =>
  /password|secret|token|^code$|verifier|assertion$|request_uri|xsrf|csrf/i.test(name);

export const valueFor = (name: string): fc.Arbitrary<string> => (isSecretName(name) ? oddSecret : oddText);

const anyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  oddText,
  fc.constantFrom(null, true, 0, -1, 1e308, [], {}),
);

/** An object as JSON text. A key may occur twice and have any name. */
const objectText = (entries: [string, unknown][]): string =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;

/**
 * Bodies that nearly match an endpoint: its keys, some left out or repeated, with valid or odd values, and additional
 * keys; or any JSON; or no JSON.
 * @param valid valid values by key
 */
export function nearJson(
  keys: readonly string[],
  valid: Record<string, readonly string[]>,
): fc.Arbitrary<string> {
  const field = (key: string): fc.Arbitrary<[string, unknown]> => {
    const good = valid[key] ?? [];
    const text = valueFor(key);
    const values = good.length > 0 ? fc.oneof(fc.constantFrom(...good), text) : text;
    // A search can only find a secret that is one string.
    const other = isSecretName(key) ? oddSecret.map((secret) => [secret]) : anyJson;
    return fc.tuple(fc.constant(key), fc.oneof({ weight: 5, arbitrary: values }, other));
  };
  const all = fc.tuple(...keys.map(field));
  const some = fc.array(fc.oneof(...keys.map(field)), { maxLength: keys.length + 2 });
  const extra = fc.array(fc.tuple(oddText, anyJson), { maxLength: 2 });
  const near = fc.tuple(
    fc.oneof({ weight: 3, arbitrary: all }, some),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, extra),
  );
  return fc.oneof(
    { weight: 8, arbitrary: near.map(([fields, more]) => objectText([...fields, ...more])) },
    { weight: 1, arbitrary: anyJson.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: oddText },
  );
}

/** A form parameter, escaped as a browser does, or not escaped. */
function encoded([name, value, asItIs]: [string, string, boolean]): string {
  if (asItIs) return `${name}=${value}`;
  return new URLSearchParams([[name, value]]).toString();
}

/**
 * Forms and queries that are nearly valid: some parameters changed, left out or repeated, and additional ones.
 * @param names other parameters that the endpoint reads
 */
export function nearForm(good: Record<string, string>, names: readonly string[]): fc.Arbitrary<string> {
  const known = [...new Set([...Object.keys(good), ...names])];
  const parameter = fc
    .oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, oddText)
    .chain((name) => fc.tuple(fc.constant(name), valueFor(name), fc.boolean()));
  return fc
    .tuple(
      fc.subarray(Object.entries(good)),
      fc.boolean(),
      fc.array(parameter, { maxLength: 4 }),
      fc.boolean(),
    )
    .map(([kept, keepsAll, changes, replaces]) => {
      const changed = new Set(replaces ? changes.map(([name]) => name) : []);
      const rest = (keepsAll ? Object.entries(good) : kept).filter(([name]) => !changed.has(name));
      return [...rest.map(([name, value]): [string, string, boolean] => [name, value, false]), ...changes]
        .map(encoded)
        .join('&');
    });
}

/** Bytes that a header may contain, and some that it may not. */
const headerBytes = fc.string({
  unit: fc
    .integer({ min: 1, max: 255 })
    .filter((byte) => byte !== 10 && byte !== 13)
    .map((byte) => String.fromCharCode(byte)),
  maxLength: 60,
});
const headerText = fc.oneof(
  headerBytes,
  oddText.map((text) => text.replace(/[\0\r\n]|[^\0-\u00ff]/g, '')),
);
const secretBytes = headerText.map((text) => `${sentinel}${text}`);
const base64 = secretBytes.map((text) => Buffer.from(`${text}:${text}`, 'latin1').toString('base64'));
const some = (...values: string[]) => fc.constantFrom(...values);
const listOf = (item: fc.Arbitrary<string>) =>
  fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join(', '));

/** Nearly valid values of the headers that Gatehouse reads. */
export const headerValues: Record<string, fc.Arbitrary<string>> = {
  Authorization: fc.oneof(
    secretBytes.map((text) => `Bearer ${text}`),
    secretBytes.map((text) => `DPoP ${text}`),
    base64.map((text) => `Basic ${text}`),
    secretBytes,
  ),
  Cookie: listOf(
    fc
      .tuple(
        some(
          'gatehouse_session',
          'gatehouse_session.sig',
          'gatehouse_interaction',
          'gatehouse_resume',
          'x',
          '',
        ),
        secretBytes,
      )
      .map(([name, value]) => `${name}=${value}`),
  ).map((text) => text.replaceAll(', ', '; ')),
  DPoP: fc.oneof(secretBytes, some('a.b.c', 'eyJhbGciOiJub25lIn0.e30.', 'bnVsbA.bnVsbA.x')),
  Forwarded: listOf(
    fc.oneof(
      headerText,
      headerText.map((text) => `for="${text}";host=${text}`),
      some('for=192.0.2.1', 'for="[::1]:1"'),
    ),
  ),
  'X-Forwarded-For': listOf(fc.oneof(headerText, some('192.0.2.1', '::1', '1.2.3.4:5', '[::1%x]:9'))),
  'X-Forwarded-Host': headerText,
  'X-Forwarded-Proto': headerText,
  'Content-Type': fc.oneof(
    headerText,
    some(
      'application/json; charset=utf-8',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=',
    ),
  ),
  Accept: fc.oneof(
    headerText,
    some('text/html', '*/*', 'application/json', 'text/html;q=0, */*', 'application/jwt'),
  ),
  'Accept-Language': listOf(
    fc.oneof(headerText, some('de', 'en;q=0.1', '*;q=0', 'x'.repeat(500), 'de-DE-u-co-phonebk')),
  ),
  Origin: fc.oneof(headerText, some('null', 'http://localhost:8080', 'http://localhost:8080/')),
  'User-Agent': headerText,
  'If-None-Match': headerText,
  traceparent: fc.oneof(headerText, some(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`)),
  Host: headerText,
};
