import { createPrivateKey, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { publicJwks } from '../../provider/keys/jwks.ts';
import { publishedKeys, signingKey } from '../../provider/keys/key-schedule.ts';
import type { KeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet, type NewKey, rotate } from '../../provider/keys/rotation.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../support/gateway-verifier.ts';
import { createManualClock } from '../support/manual-clock.ts';

const minute = 60_000;
const hour = 60 * minute;
const issuer = 'https://login.example';
const audience = 'https://api.example';
const tokenSeconds = 900;
/** What a cache in front of the issuer may add: `max-age` and `stale-while-revalidate` of the key set. */
const heldMs = 2 * 900_000;
/** Two processes whose clocks differ from the right time. */
const skews = [-minute, minute];

interface Issued {
  token: string;
  until: number;
}

describe('G5: a rotation of keys, seen by API Gateway', () => {
  let keys: NewKey[];
  beforeAll(async () => {
    keys = await Promise.all([generateKey(), generateKey(), generateKey()]);
  });

  /**
   * Rotates twice in 24 hours. Every process issues a token each five minutes. Each gateway checks every token when it
   * is new and again before it expires. Gateways begin at different times, so their caches have every age.
   * @returns the refusals
   */
  async function refusals(leadSeconds: number, options: Partial<GatewayOptions>): Promise<string[]> {
    const clock = createManualClock();
    const start = clock.now();
    const [first, ...more] = keys as [NewKey, ...NewKey[]];
    const history: { since: number; set: KeySet }[] = [{ since: 0, set: firstKeySet(first, start) }];
    const setAt = (time: number) => history.findLast(({ since }) => since <= time)?.set ?? { keys: [] };
    const published = (time: number) =>
      publicJwks(publishedKeys(setAt(time), time, { tokenSeconds, leadSeconds })).jwks;
    const fetchThrough = (held: number) => async (url: string) =>
      Response.json(
        url === `${issuer}/jwks`
          ? published(Math.max(start, clock.now() - held))
          : { issuer, jwks_uri: `${issuer}/jwks` },
      );
    const gateways: Gateway[] = [];
    let issued: Issued[] = [];
    const refused: string[] = [];
    for (let turn = 0; turn * 5 * minute < 24 * hour; turn += 1) {
      const now = clock.now();
      if (gateways.length < 6) {
        // Every second gateway reads the key set directly, the others through a cache.
        const fetch = fetchThrough(gateways.length % 2 === 0 ? 0 : heldMs);
        gateways.push(await createGateway({ issuer, audiences: [audience], clock, fetch, ...options }));
      }
      if (now - start === 5 * hour || now - start === 14 * hour) {
        const set = rotate(setAt(now), more[history.length - 1] ?? first, now, leadSeconds);
        history.push({ since: now, set });
      }
      issued = issued.filter(({ until }) => until > now);
      issued.push(...skews.map((skew) => issue(signingKey(setAt(now), now + skew), now)));
      for (const { token } of issued) {
        const answers = await Promise.all(gateways.map((one) => one.check({ authorization: token })));
        refused.push(
          ...answers.flatMap((one) =>
            one.status === 200 ? [] : [`${(now - start) / hour} h: ${one.reason}`],
          ),
        );
      }
      clock.advance(5 * minute);
    }
    expect(history).toHaveLength(3);
    return refused;
  }

  function issue({ kid, privateJwk }: NewKey, now: number): Issued {
    const iat = Math.floor(now / 1000);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: issuer, aud: audience, iat, exp: iat + tokenSeconds };
    const signed = `${part({ alg: 'RS256', kid })}.${part(claims)}`;
    const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
    const signature = sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url');
    return { token: `${signed}.${signature}`, until: (iat + tokenSeconds) * 1000 };
  }

  test.each([
    ['that keeps keys for two hours and never looks again', {}],
    ['that keeps keys for one hour', { keyCacheMs: hour }],
    ['that keeps no keys', { keyCacheMs: 0 }],
    ['of a REST API', { kind: 'rest' as const }],
  ])('no token is refused by a gateway %s', async (_what, options) => {
    expect(await refusals(10_800, options)).toEqual([]);
  });

  test('with a lead time of an hour, the gateway that keeps keys for two hours refuses tokens', async () => {
    const refused = await refusals(3_600, {});
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map((one) => one.replace(/^.* h: kid \S+ /, '')))).toEqual(
      new Set(['is not in the key set as it was cached']),
    );
  });
});
