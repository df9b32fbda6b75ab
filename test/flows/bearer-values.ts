import type { Deployment } from '../support/deployment.ts';
import { watched } from '../support/wrapped-deployment.ts';

/** Values that were sent in either direction and that work for any holder. */
export interface BearerValues {
  /** The name of each value, by value. */
  values: Map<string, string>;
  add(what: string, value: string | null | undefined): void;
  /** The same deployment. It collects the values in its answers. */
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

/** Collects values from a deployment's answers: cookies, redirects, fields of JSON, hidden fields of forms. */
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
  const recorded = watched(deployment, async (answer) => {
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      add(`cookie ${name}`, value);
    }
    readLocation(answer.headers.get('location'));
    readBody(await answer.clone().text());
  });
  return { values, add, recorded };
}

/** Removes what isn't secret: a refresh token's family, a request URI's prefix, the dash of a user code. */
function secretPart(what: string, value: string): string {
  if (/^refresh_?token$/i.test(what)) return value.slice(value.indexOf('.') + 1);
  if (what === 'user_code') return value.replace('-', '');
  return what === 'request_uri' ? value.slice(value.lastIndexOf(':') + 1) : value;
}

const pieceLength = 16;

/** All runs of 16 characters, or the whole text if it is shorter. */
function* pieces(text: string): Generator<string> {
  const last = Math.max(0, text.length - pieceLength);
  for (let at = 0; at <= last; at += 1) yield text.slice(at, at + pieceLength);
}

/**
 * The forms in which a value may be stored: unchanged, in hex, in base64 at any offset, and the same for its decoded
 * bytes.
 */
function* writings(value: string): Generator<string> {
  yield value;
  for (const bytes of [Buffer.from(value), Buffer.from(value, 'base64url')]) {
    if (bytes.length < 8) continue;
    yield bytes.toString('hex');
    yield bytes.toString('hex').toUpperCase();
    for (const skipped of [0, 1, 2]) {
      // The last characters also depend on the bytes that follow.
      yield bytes.subarray(skipped).toString('base64').replace(/=+$/, '').slice(0, -1);
      yield bytes.subarray(skipped).toString('base64url').slice(0, -1);
    }
  }
}

/** @returns the values that the texts contain, in any form, completely or 16 characters of them */
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
