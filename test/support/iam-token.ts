import { createHash, createHmac } from 'node:crypto';

/** AWS credentials that exist in tests only. */
export const iamCredentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'a+session/token==',
};
export const iamRegion = 'eu-central-1';

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const encode = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** What a token asks for. */
export interface CheckedToken {
  /** The part before the path: a cache name, or host and port of a database. */
  host: string;
  /** All parameters that are no part of the signature. */
  asks: Record<string, string>;
}

/**
 * Checks a token as AWS does, and gives what it asks for. Written from AWS's description of Signature Version 4 with a
 * signature in the query ("Create a signed AWS API request"), without the code of an SDK.
 *
 * @throws an error that says what is wrong with the token
 */
export function checkIamToken(token: string, service: string, now = Date.now()): CheckedToken {
  const [, host = '', text = ''] = /^([^/?:]+(?::\d+)?)\/\?(.*)$/.exec(token) ?? [];
  if (host === '') throw new Error('the token is not HOST/?QUERY, or has a scheme');
  const query = new Map(
    text.split('&').map((part) => {
      const [name = '', value = ''] = part.split('=').map(decodeURIComponent);
      return [name, value] as const;
    }),
  );
  const date = query.get('X-Amz-Date') ?? '';
  const day = date.slice(0, 8);
  const scope = [day, iamRegion, service, 'aws4_request'];
  const expected: Record<string, string> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': [iamCredentials.accessKeyId, ...scope].join('/'),
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Security-Token': iamCredentials.sessionToken,
    Action: 'connect',
  };
  for (const [name, value] of Object.entries(expected))
    if (query.get(name) !== value) throw new Error(`${name} is ${query.get(name)} and not ${value}`);
  const canonicalQuery = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const emptyBody = createHash('sha256').digest('hex');
  const request = ['GET', '/', canonicalQuery, `host:${host}`, '', 'host', emptyBody].join('\n');
  const digest = createHash('sha256').update(request).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), digest].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${iamCredentials.secretAccessKey}`);
  if (query.get('X-Amz-Signature') !== hmac(key, toSign).toString('hex'))
    throw new Error('the signature is wrong');
  const madeAt = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const seconds = Number(query.get('X-Amz-Expires'));
  if (!(seconds <= 900)) throw new Error('a token is valid for 15 minutes at most');
  if (!(madeAt <= now + 1000 && now < madeAt + seconds * 1000)) throw new Error('the token has expired');
  const asks = Object.fromEntries([...query].filter(([name]) => !name.startsWith('X-Amz-')));
  return { host, asks };
}
