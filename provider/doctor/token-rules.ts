import { createPublicKey, verify } from 'node:crypto';
import { compareIssuer } from './issuer-rules.ts';
import type { DecodedToken, Observation } from './observe.ts';
import { type DoctorRule, failed, gatewayLimits, ok, skipped, type Verdict, warning } from './rule.ts';

/** A rule about the content of a token. It is skipped without a token, and when the token can't be decoded. */
const onToken =
  (check: (token: DecodedToken, seen: Observation) => Verdict) =>
  (seen: Observation): Verdict => {
    if (seen.token === undefined) return skipped('No token was given (--token).');
    return seen.decoded ? check(seen.decoded, seen) : skipped('The token can not be decoded.');
  };

const wordsIn = (...claims: unknown[]) =>
  claims.flat().flatMap((claim) => (typeof claim === 'string' ? claim.split(' ') : []));

const keyOf = ({ header }: DecodedToken, { keys }: Observation) =>
  keys?.find(({ kid }) => kid !== undefined && kid === header.kid);

/** The digest of an algorithm that can be verified here. `dsaEncoding` is that of JWS (RFC 7518 §3.4). */
const digests: Record<string, string> = {
  RS256: 'sha256',
  RS384: 'sha384',
  RS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
};

function signatureFits({ header, signed, signature }: DecodedToken, key: Record<string, unknown>): boolean {
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' });
    return verify(
      digests[String(header.alg)],
      Buffer.from(signed),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      signature,
    );
  } catch {
    return false;
  }
}

/** The time of a claim in milliseconds. NaN if it is not a number. */
const timeOf = (claim: unknown) => (typeof claim === 'number' ? claim * 1000 : Number.NaN);
const seconds = (milliseconds: number) => `${Math.round(milliseconds / 1000)} s`;

export const tokenRules: DoctorRule[] = [
  {
    id: 'token-form',
    requires: 'A token is a JWT of three parts.',
    check: ({ token, decoded }) => {
      if (token === undefined) return skipped('No token was given (--token).');
      if (decoded) return ok('The token is a JWT.');
      return failed(
        'The token is not a signed JWT of three parts. It is perhaps an opaque token, or a refresh token.',
        'Request an access token for an API: name its audience as resource (RFC 8707), or one of its scopes.',
      );
    },
  },
  {
    id: 'token-algorithm',
    requires:
      'HTTP API: the token is signed with RS256. REST API: with an algorithm that the authorizer allows.',
    check: onToken(({ header }, { gateway }) => {
      const alg = String(header.alg);
      if (alg === 'RS256') return ok('The token is signed with RS256.');
      if (gateway === 'rest' && digests[alg])
        return ok(`The token is signed with ${alg}. The authorizer must allow it.`);
      if (/^(RS|PS)(256|384|512)$/.test(alg) && gateway === 'http')
        return warning(
          `The token is signed with ${alg}.`,
          'Sign with RS256. AWS says only that algorithms based on RSA are supported, and RS256 is known to work.',
        );
      return failed(
        `The token is signed with ${alg}, which API Gateway refuses.`,
        'Sign access tokens with RS256.',
      );
    }),
  },
  {
    id: 'token-kid',
    requires: 'The header of the token has the kid of a published key.',
    check: onToken((token, seen) => {
      const { kid } = token.header;
      if (typeof kid !== 'string')
        return failed(
          'The header of the token has no kid.',
          'Write the kid of the signing key into the header of every token.',
        );
      if (!seen.keys) return skipped('There is no key set.');
      if (!keyOf(token, seen))
        return failed(
          `The key set has no key ${kid}.`,
          'The token is from another issuer, or its key was never published or was removed too early. Publish a key until the last token that it signed has expired.',
        );
      return ok(`The key set has the key ${kid}.`);
    }),
  },
  {
    id: 'token-signature',
    requires: 'The signature fits the published key.',
    check: onToken((token, seen) => {
      const key = keyOf(token, seen);
      if (!key) return skipped('The key of the token is not published.');
      if (!digests[String(token.header.alg)])
        return skipped(`Signatures with ${token.header.alg} are not checked here.`);
      if (signatureFits(token, key)) return ok('The signature is right.');
      return failed(
        'The signature does not fit the published key.',
        'The token was changed, or two keys share a kid. Get a new token and try again.',
      );
    }),
  },
  {
    id: 'token-issuer',
    requires: 'iss equals the configured issuer, character for character.',
    check: onToken(({ claims }, { issuer }) => compareIssuer(issuer, claims.iss, 'The token')),
  },
  {
    id: 'token-audience',
    requires: 'aud has an audience of the authorizer. client_id is read only if there is no aud.',
    check: onToken(({ claims }, { audiences }) => {
      if (audiences.length === 0) return skipped('No audience was given (--audience).');
      const named = claims.aud === undefined ? [claims.client_id] : [claims.aud].flat();
      const wanted = audiences.join(', ');
      if (named.some((one) => typeof one === 'string' && audiences.includes(one)))
        return ok(`The token is for ${named.join(', ')}.`);
      return failed(
        `The token is for ${named.join(', ')}, not for ${wanted}.`,
        'Request a token for the API (resource, or one of its scopes), or add this audience to the authorizer if it is the audience of the API.',
      );
    }),
  },
  {
    id: 'token-times',
    requires: 'exp is in the future; iat and nbf are in the past.',
    check: onToken(({ claims }, { now }) => {
      const [exp, iat, nbf] = [timeOf(claims.exp), timeOf(claims.iat), timeOf(claims.nbf ?? claims.iat)];
      if (Number.isNaN(exp + iat + nbf))
        return failed(
          'exp, iat or nbf is missing or is not a number.',
          'Write the times as numbers of seconds (RFC 7519 §2).',
        );
      if (exp <= now)
        return failed(
          `The token expired ${seconds(now - exp)} ago.`,
          'Get a new token. If it is new, the clock of the issuer is behind.',
        );
      const ahead = Math.max(iat, nbf) - now;
      if (ahead > 0)
        return failed(
          `The token is valid only in ${seconds(ahead)}.`,
          'Set the clock of the issuer: it is ahead. Or the clock of this machine is behind.',
        );
      return ok(`The token is valid for ${seconds(exp - now)} more.`);
    }),
  },
  {
    id: 'token-scope',
    requires:
      'scope or scp has one of the scopes of the route. A route without scopes also accepts id tokens for its audience.',
    check: onToken(({ claims }, { scopes }) => {
      const held = wordsIn(claims.scope, claims.scp);
      if (held.length === 0)
        return failed(
          'The token has no scopes. It is perhaps an id token.',
          'Use an access token with a scope of the API, and require a scope on every route.',
        );
      if (scopes.length > 0 && !scopes.some((one) => held.includes(one)))
        return failed(
          `The token has the scopes ${held.join(', ')}, and none of ${scopes.join(', ')}.`,
          'Request one of the scopes of the route. The client and the person must be allowed to have it.',
        );
      return ok(`The token has the scopes ${held.join(', ')}.`);
    }),
  },
  {
    id: 'token-bytes',
    requires: 'Request line and headers have at most 10,240 bytes together.',
    check: onToken((_, { token = '' }) => {
      const bytes = Buffer.byteLength(`authorization: Bearer ${token}\r\n`);
      const { requestBytes: most } = gatewayLimits;
      const has = `The Authorization header has ${bytes} bytes of ${most} for all headers`;
      if (bytes > most) return failed(`${has}.`, 'Put fewer roles, permissions or scopes into the token.');
      // Browsers send 1 to 4 KiB of other headers.
      if (bytes > most - 4096)
        return warning(
          `${has}. Little is left for cookies and other headers.`,
          'Put fewer roles, permissions or scopes into the token.',
        );
      return ok(`${has}.`);
    }),
  },
  {
    id: 'token-claims',
    requires: 'HTTP API: only claims whose names have letters, digits, . and _ can be passed on in headers.',
    check: onToken(({ claims }, { gateway }) => {
      const odd = Object.keys(claims).filter((name) => !/^[\w.]+$/.test(name));
      if (gateway === 'rest' || odd.length === 0) return ok('All claims can be passed on.');
      return warning(
        `These claims can't be passed on in headers: ${odd.join(', ')}.`,
        'Rename them, or let services read them from the token itself.',
      );
    }),
  },
];
