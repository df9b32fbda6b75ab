import { createPublicKey } from 'node:crypto';
import { parseUrl } from '../lib/parse-url.ts';
import type { Observation } from './observe.ts';
import { type DoctorRule, failed, gatewayLimits, ok, skipped, type Verdict, warning } from './rule.ts';

type Key = Record<string, unknown>;

const onKeys =
  (check: (keys: Key[], seen: Observation) => Verdict) =>
  (seen: Observation): Verdict =>
    seen.keys ? check(seen.keys, seen) : skipped('There is no key set.');

const named = (keys: Key[]) =>
  keys
    .map(({ kid, kty, crv, alg }) => `${kid ?? '(no kid)'} (${[kty, crv, alg].filter(Boolean).join(' ')})`)
    .join(', ');

const isForSigning = ({ use }: Key) => use === undefined || use === 'sig';

/** An HTTP API accepts keys for RS256. A REST API can be configured for these algorithms of elliptic curves too. */
function isUsable(key: Key, gateway: Observation['gateway']): boolean {
  const { kty, alg } = key;
  if (!isForSigning(key)) return false;
  if (kty === 'RSA')
    return (
      alg === undefined || (gateway === 'rest' ? /^RS(256|384|512)$/.test(String(alg)) : alg === 'RS256')
    );
  return gateway === 'rest' && kty === 'EC' && (alg === undefined || /^ES(256|384|512)$/.test(String(alg)));
}

function modulusBits(key: Key): number | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails?.modulusLength;
  } catch {
    return undefined;
  }
}

/** The seconds for which caches between issuer and gateway may keep an answer. Undefined if the answer doesn't say. */
function cachedSeconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/\bno-(?:store|cache)\b/i.test(header)) return 0;
  const value = (name: string) => new RegExp(`(?:^|[\\s,])${name}="?(\\d{1,10})`, 'i').exec(header)?.[1];
  const fresh = value('s-maxage') ?? value('max-age');
  return fresh === undefined ? undefined : Number(fresh) + Number(value('stale-while-revalidate') ?? 0);
}

export const keyRules: DoctorRule[] = [
  {
    id: 'jwks-uri',
    requires: 'Discovery names an https URL of the key set in jwks_uri.',
    check: ({ metadata }) => {
      if (!metadata) return skipped('There is no discovery document.');
      const { jwks_uri: uri } = metadata;
      if (typeof uri !== 'string' || parseUrl(uri) === undefined)
        return failed(
          `The discovery document has ${uri === undefined ? 'no jwks_uri' : 'a jwks_uri that is no URL'}.`,
          'Publish the key set, and name its URL as jwks_uri.',
        );
      if (new URL(uri).protocol !== 'https:')
        return failed(
          `jwks_uri is ${uri}, which is not https.`,
          'Behind a proxy, the issuer must make its URLs from its own public address, not from the request. Some issuers must be told to trust the proxy.',
        );
      return ok(`jwks_uri is ${uri}.`);
    },
  },
  {
    id: 'jwks-document',
    requires: 'The key set answers 200 with a JSON object that has a list of keys.',
    check: ({ jwks, keys }) => {
      if (!jwks?.answer) return skipped('The key set could not be fetched.');
      const { status } = jwks.answer;
      if (status !== 200)
        return failed(
          `${jwks.url} answers ${status}.`,
          'Route this path to the issuer. No authorizer may protect it.',
        );
      if (!keys)
        return failed(
          `${jwks.url} does not answer with a JSON object that has a list "keys".`,
          'Check which service answers there (RFC 7517 §5).',
        );
      if (keys.length === 0) return failed('The key set is empty.', 'Publish the key that signs tokens.');
      return ok(`The key set has ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}.`);
    },
  },
  {
    id: 'algorithms',
    requires:
      'HTTP API: the key set has RSA keys for RS256, and no other keys. REST API: also RS384, RS512, ES256, ES384, ES512, as the authorizer allows.',
    check: onKeys((keys, { gateway }) => {
      const others = keys.filter((key) => !isUsable(key, gateway));
      if (others.length === keys.length)
        return failed(
          `No key can be used: ${named(keys) || 'there is none'}.`,
          gateway === 'http'
            ? 'Sign access tokens with RS256.'
            : 'Sign access tokens with an RSA key or a key of the curves P-256, P-384, P-521.',
        );
      if (others.length > 0)
        return warning(
          `Some keys are not for API Gateway: ${named(others)}.`,
          'Take them out of this key set. AWS does not say what an authorizer does with keys that it does not support.',
        );
      return ok('All keys can be used.');
    }),
  },
  {
    id: 'kid',
    requires: 'Every key has a kid of its own.',
    check: onKeys((keys) => {
      const kids = keys.map(({ kid }) => kid);
      if (kids.some((kid) => typeof kid !== 'string' || kid === ''))
        return failed(
          'A key has no kid.',
          'Give every key a kid. API Gateway finds the key of a token by its kid.',
        );
      const twice = kids.find((kid, index) => kids.indexOf(kid) < index);
      if (twice !== undefined)
        return failed(
          `Two keys have the kid ${twice}.`,
          'Give every key a kid of its own, for example its thumbprint (RFC 7638).',
        );
      return ok(`Every key has a kid: ${kids.join(', ')}.`);
    }),
  },
  {
    id: 'private-keys',
    requires: 'The key set holds public keys only.',
    check: onKeys((keys) => {
      const open = keys.filter((key) => ['d', 'p', 'q', 'k'].some((member) => key[member] !== undefined));
      if (open.length === 0) return ok('The key set holds public keys only.');
      return failed(
        `The key set publishes secret parts of: ${named(open)}.`,
        'Anyone can sign tokens with them. Replace these keys now, and retire them at once.',
      );
    }),
  },
  {
    id: 'key-size',
    requires: 'RSA keys have at least 2,048 bits (RFC 7518 §3.3).',
    check: onKeys((keys) => {
      const rsa = keys.filter(({ kty }) => kty === 'RSA');
      const unreadable = rsa.filter((key) => modulusBits(key) === undefined);
      if (unreadable.length > 0)
        return failed(
          `These RSA keys can't be read: ${named(unreadable)}.`,
          'Publish n and e of each key in base64url (RFC 7518 §6.3.1).',
        );
      const short = rsa.filter((key) => (modulusBits(key) ?? 0) < 2048);
      if (short.length > 0)
        return failed(`These keys are too short: ${named(short)}.`, 'Rotate to a key of 2,048 bits or more.');
      return rsa.length > 0 ? ok('All RSA keys have at least 2,048 bits.') : skipped('There is no RSA key.');
    }),
  },
  {
    id: 'cache-headers',
    requires: 'The key set says how long caches between the issuer and API Gateway may keep it.',
    check: ({ jwks }) => {
      if (!jwks?.answer) return skipped('The key set could not be fetched.');
      const header = jwks.answer.headers['cache-control'];
      const seconds = cachedSeconds(header);
      if (seconds !== undefined)
        return ok(`Caches may keep the key set for ${seconds} s (Cache-Control: ${header}).`);
      return warning(
        `The key set has ${header === undefined ? 'no Cache-Control' : `Cache-Control: ${header}, without max-age`}.`,
        'Send Cache-Control with a max-age of some minutes. Without it, a proxy or CDN may keep an old key set for as long as it likes.',
      );
    },
  },
  {
    id: 'lead-time',
    requires:
      'A key is published before it signs for longer than all caches keep the key set: HTTP API up to 2 hours more than caches in between; REST API as long as caches in between.',
    check: ({ jwks, gateway, leadSeconds }) => {
      if (!jwks?.answer) return skipped('The key set could not be fetched.');
      const between = cachedSeconds(jwks.answer.headers['cache-control']) ?? 0;
      const needed = between + (gateway === 'http' ? gatewayLimits.keyCacheSeconds : 0);
      const told = `API Gateway may know a new key only ${needed} s after it is published; the lead time is ${leadSeconds} s (--lead)`;
      if (needed <= leadSeconds) return ok(`${told}.`);
      return failed(
        `${told}.`,
        'Publish keys earlier (with Gatehouse: GATEHOUSE_KEY_LEAD_SECONDS), or let caches keep the key set for a shorter time. Otherwise valid tokens get 401 after a rotation.',
      );
    },
  },
];
