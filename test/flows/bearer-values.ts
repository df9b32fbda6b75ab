import type { Deployment } from '../support/deployment.ts';

/** What was handed out or sent that whoever holds it may use, by what it is. */
export interface BearerValues {
  /** By value; what it is. */
  values: Map<string, string>;
  add(what: string, value: string | null | undefined): void;
  /** The same deployment, whose answers are read for what they hand out. */
  recorded: Deployment;
}

const tokenFields = [
  'access_token',
  'refresh_token',
  'id_token',
  'accessToken',
  'refreshToken',
  'request_uri',
  'device_code',
  'user_code',
];

/** Watches a deployment's answers: cookies, where they lead, fields of JSON, hidden fields of forms. */
export function recordBearerValues(deployment: Deployment): BearerValues {
  const values = new Map<string, string>();
  const add: BearerValues['add'] = (what, value) => {
    const secret = secretPart(what, value ?? '');
    if (secret.length >= 8) values.set(secret, what);
  };
  const readLocation = (location: string | null) => {
    const url = new URL(location ?? '/', deployment.issuer);
    add('code', url.searchParams.get('code'));
    add('interaction uid', /^\/(?:interaction|oauth2\/authorize|device)\/([^/]+)/.exec(url.pathname)?.[1]);
  };
  const readBody = (text: string) => {
    for (const [, name = '', value = ''] of text.matchAll(/name="(csrf|xsrf)" value="([^"]*)"/g))
      add(name, value);
    if (!text.startsWith('{')) return;
    const body = JSON.parse(text) as Record<string, string | undefined>;
    for (const field of tokenFields) add(field, body[field]);
  };
  const fetch: Deployment['fetch'] = async (input, init) => {
    const response = await deployment.fetch(input, init);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      add(`cookie ${name}`, value);
    }
    readLocation(response.headers.get('location'));
    readBody(await response.clone().text());
    return response;
  };
  return { values, add, recorded: { ...deployment, fetch } };
}

/** A refresh token names its family, and a request URI what it is: neither is secret; nor is the dash of a user code. */
function secretPart(what: string, value: string): string {
  if (/^refresh_?token$/i.test(what)) return value.slice(value.indexOf('.') + 1);
  if (what === 'user_code') return value.replace('-', '');
  return what === 'request_uri' ? value.slice(value.lastIndexOf(':') + 1) : value;
}

const pieceLength = 16;

/** All runs of 16 characters; the whole text where it is shorter. */
function* pieces(text: string): Generator<string> {
  const last = Math.max(0, text.length - pieceLength);
  for (let at = 0; at <= last; at += 1) yield text.slice(at, at + pieceLength);
}

/** How a value may be written down: as it is, in hex, in base64 from whatever byte on, and all that for what it encodes. */
function* writings(value: string): Generator<string> {
  yield value;
  for (const bytes of [Buffer.from(value), Buffer.from(value, 'base64url')]) {
    if (bytes.length < 8) continue;
    yield bytes.toString('hex');
    yield bytes.toString('hex').toUpperCase();
    for (const skipped of [0, 1, 2]) {
      // The last characters also depend on what stands behind.
      yield bytes.subarray(skipped).toString('base64').replace(/=+$/, '').slice(0, -1);
      yield bytes.subarray(skipped).toString('base64url').slice(0, -1);
    }
  }
}

/** @returns what of these values is found in the texts, whole or 16 characters of it, in any writing */
export function foundIn(texts: readonly string[], values: ReadonlyMap<string, string>): string[] {
  const known = new Set<string>();
  for (const text of texts) for (const piece of pieces(text)) known.add(piece);
  const all = texts.join('\n');
  const occurs = (piece: string) =>
    piece.length === pieceLength ? known.has(piece) : piece.length >= 8 && all.includes(piece);
  const found: string[] = [];
  for (const [value, what] of values) {
    for (const writing of writings(value)) {
      const piece = [...pieces(writing)].find(occurs);
      if (piece !== undefined) found.push(`${what} ${value}: ${piece}`);
    }
  }
  return found;
}
