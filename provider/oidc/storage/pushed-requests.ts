import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { epochSeconds } from '../../lib/clock.ts';
import { currentContext } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { admitAnonymousRecord, isPublicClient } from './anonymous-records.ts';
import { artifactAdapter, createArtifacts } from './artifacts.ts';
import { rememberSpentSeconds } from './code-adapter.ts';

const kind = 'PushedAuthorizationRequest';

/** A person signs in and then agrees: two steps. Each step may take as long as an interaction lives. */
const steps = 2;

/**
 * The library's adapter for pushed authorization requests (RFC 9126). Until a request has led to an authorization it
 * may be opened again, for example by a reload (§7.3). It leads to one authorization at most; from then on it is
 * refused where it is presented, before anybody is asked for a password.
 *
 * The library deletes a request after one minute, and it lets an interaction finish even if it cannot find the request.
 * So after that minute, one request could lead to several authorizations. Here the end of an interaction always spends
 * the request.
 */
export function createPushedRequestAdapter(
  services: Pick<OidcServices, 'store' | 'keys' | 'clock' | 'config' | 'rateLimits'>,
): Adapter {
  const { clock, config } = services;
  const artifacts = createArtifacts(kind, services);
  const keepSeconds = Math.max(rememberSpentSeconds, steps * config.interactionSeconds);
  const adapter = artifactAdapter(artifacts);
  const forgotten = (id: string) => ({ kind, jti: id, exp: epochSeconds(clock) });
  return {
    ...adapter,
    upsert: async (id, payload, expiresIn) => {
      const stored = unwrapRequest(payload);
      // A confidential client has authenticated itself before.
      if (isPublicClient()) await admitAnonymousRecord(services, 'pushed', stored);
      await adapter.upsert(id, stored, expiresIn);
    },
    find: async (id) => {
      const found = await artifacts.find(id);
      if (!found) return isEndOfInteraction() ? forgotten(id) : undefined;
      const { spentAt } = found;
      const payload = wrapRequest(found.payload);
      return spentAt === undefined ? payload : { ...payload, consumed: Math.floor(spentAt / 1000) };
    },
    consume: async (id) => {
      // `put` never makes a spent request fresh again, so `spend` still decides alone.
      if (!(await artifacts.find(id))) await artifacts.put(id, forgotten(id), keepSeconds);
      const { outcome } = await artifacts.spend(id, keepSeconds);
      if (outcome !== 'won')
        throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used');
    },
  };
}

/** The JOSE header of an unsecured JWT (RFC 7519 §6.1). */
const unsecured = Buffer.from('{"alg":"none"}').toString('base64url');

/**
 * The library keeps the parameters as an unsecured JWT. They are stored without its encoding, which makes them a third
 * longer.
 */
function unwrapRequest(payload: AdapterPayload): AdapterPayload {
  const [header, claims = '', ...rest] = String(payload.request).split('.');
  if (header !== unsecured || rest.join('') !== '') return payload;
  return { ...payload, request: undefined, parameters: Buffer.from(claims, 'base64url').toString() };
}

function wrapRequest({ parameters, ...payload }: AdapterPayload): AdapterPayload {
  if (typeof parameters !== 'string') return payload;
  return { ...payload, request: `${unsecured}.${Buffer.from(parameters).toString('base64url')}.` };
}

/** The request's id then comes from our own interaction, not from the caller. */
const isEndOfInteraction = () => currentContext()?.oidc.route === 'resume';
