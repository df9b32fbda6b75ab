import { type Adapter, type AdapterPayload, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { GatehouseError } from '../../lib/errors.ts';
import { currentContext, orUnavailable } from '../current-request.ts';
import { expiredDeviceCode } from '../patches/device-codes.ts';
import type { OidcServices } from '../services.ts';
import { preloadSignIn } from '../sessions/accounts-view.ts';
import { accessTokenPayload, unwrapToken } from '../tokens/access-token-payload.ts';
import { isMachineToken } from '../tokens/access-token-verifier.ts';
import { endFoundFamily } from '../tokens/end-family.ts';
import { admitAnonymousRecord, isPublicClient } from './anonymous-records.ts';
import { artifactAdapter, createArtifacts } from './artifacts.ts';
import { createCodeAdapter } from './code-adapter.ts';
import { createPushedRequestAdapter } from './pushed-requests.ts';
import type { RefreshTokenLookup } from './refresh-tokens.ts';

const nothing: Adapter = {
  upsert: async () => {},
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => {},
  destroy: async () => {},
  revokeByGrantId: async () => {},
};

/** @returns the library's adapter factory: one row for each kind of thing that the library stores */
export function createStorageAdapter(services: OidcServices): (kind: string) => Adapter {
  const table: Record<string, () => Adapter> = {
    Session: () => artifactAdapter(createArtifacts('Session', services)),
    Interaction: () => interactionAdapter(services),
    AuthorizationCode: () =>
      createCodeAdapter(services, { kind: 'AuthorizationCode', name: 'authorization code' }),
    DeviceCode: () => deviceCodeAdapter(services),
    PushedAuthorizationRequest: () => createPushedRequestAdapter(services),
    ReplayDetection: () => artifactAdapter(createArtifacts('ReplayDetection', services)),
    AccessToken: () => accessTokenAdapter(services),
    ClientCredentials: () => machineTokenAdapter(services),
    RefreshToken: () => refreshTokenAdapter(services),
    Grant: () => ({ ...nothing, find: (grantId) => services.grants.byId(grantId) }),
    Client: () => ({ ...nothing, find: (id) => clientMetadata(services, id) }),
  };
  return (kind) => {
    const row = table[kind];
    if (!row) throw new Error(`no adapter for ${kind}: its feature is off`);
    return withUnavailable(row());
  };
}

/**
 * @throws InvalidClient (RFC 6749 §5.2) with the reason for a client that registered itself and can't be used; for a
 *   disabled client, with a cause that names the reason. With a header
 *   `Authorization`, §5.2 requires the status 401.
 */
async function clientMetadata({ clients }: OidcServices, id: string): Promise<AdapterPayload | undefined> {
  const client = await clients.lookup(id).catch((error: unknown) => {
    if (error instanceof GatehouseError || !(error instanceof Error)) throw error;
    throw new errors.InvalidClient(error.message);
  });
  if (client?.enabled !== false) return clients.metadata(id);
  const cause = new GatehouseError(
    'client_disabled',
    'this client is disabled: its document says enabled: false',
  );
  const refused = new errors.InvalidClient(cause.message, { cause } as never);
  const status = currentContext()?.get('Authorization') ? 401 : 400;
  throw Object.assign(refused, { status, statusCode: status });
}

/**
 * Any caller may send authorization requests and enter device codes. A request that leads to a page is counted before it
 * causes a write. A later page of the same request is not counted again.
 */
function interactionAdapter(services: OidcServices): Adapter {
  const adapter = artifactAdapter(createArtifacts('Interaction', services));
  const isNew = () => ['authorization', 'code_verification'].includes(currentContext()?.oidc.route ?? '');
  return {
    ...adapter,
    upsert: async (id, payload, expiresIn) => {
      const stored = withoutLoginDetails(payload);
      if (isNew()) await admitAnonymousRecord(services, 'page', stored);
      return adapter.upsert(id, stored, expiresIn);
    },
  };
}

/**
 * The details of the prompt to sign in repeat parameters, `id_token_hint` among them. The pages read only those of our
 * policy (`interaction-policy.ts`).
 */
function withoutLoginDetails(payload: AdapterPayload): AdapterPayload {
  const { prompt } = payload;
  if (prompt?.name !== 'login') return payload;
  const { needsSecondFactor, provedBefore } = (prompt.details ?? {}) as Record<string, unknown>;
  return { ...payload, prompt: { ...prompt, details: { needsSecondFactor, provedBefore } } };
}

/** A code for a public client is counted, because the sender has proved nothing yet. */
function deviceCodeAdapter(services: OidcServices): Adapter {
  const adapter = createCodeAdapter(services, { kind: 'DeviceCode', name: 'device code' });
  return {
    ...adapter,
    upsert: async (id, payload, expiresIn) => {
      if (currentContext()?.oidc.route === 'device_authorization' && isPublicClient())
        await admitAnonymousRecord(services, 'device-code', payload);
      return adapter.upsert(id, payload, expiresIn);
    },
    find: async (id) => (await adapter.find(id)) ?? expiredDeviceCode(id, services.clock),
  };
}

function accessTokenAdapter({ accessTokens, revocation, issuer }: OidcServices): Adapter {
  return {
    ...nothing,
    find: async (value) => {
      const claims = await accessTokens.verify(unwrapToken(value));
      if (!claims || isMachineToken(claims)) return undefined;
      return accessTokenPayload(claims, currentContext()?.oidc.route, issuer);
    },
    destroy: (jti) => revocation.revokeToken(jti),
    // The library calls it at logout only: for every client of the session, or for the one that is signed out of.
    revokeByGrantId: async (grantId) => {
      const authorizations = currentContext()?.oidc.session?.authorizations ?? {};
      const ended = Object.values(authorizations).find((authorization) => authorization.grantId === grantId);
      if (!ended?.sid) return;
      // With `logout` the session itself ends; without it, the person stays signed in elsewhere.
      if (currentContext()?.oidc.params?.logout) await revocation.endSessionAtClient(ended.sid);
      else await revocation.signOutOfClient(ended.sid);
    },
  };
}

function machineTokenAdapter({ accessTokens, revocation }: OidcServices): Adapter {
  return {
    ...nothing,
    find: async (value) => {
      const claims = await accessTokens.verify(unwrapToken(value));
      if (!claims || !isMachineToken(claims)) return undefined;
      const { jti, iat, exp, client_id: clientId, aud, scope, cnf } = claims;
      return { kind: 'ClientCredentials', jti, iat, exp, clientId, aud, scope, ...cnf };
    },
    destroy: (jti) => revocation.revokeToken(jti),
  };
}

function refreshTokenAdapter(services: OidcServices): Adapter {
  const { refreshTokens, revocation } = services;
  /** `find` and `destroy` of one revocation request read the family once. */
  const foundAtRevocation = new WeakMap<KoaContextWithOIDC, RefreshTokenLookup>();
  return {
    ...nothing,
    upsert: async (value, payload) => {
      const opened = await refreshTokens.open(value, { ...payload });
      if (!opened) throw new errors.InvalidGrant('this sign-in was ended');
    },
    find: async (value) => {
      const found = await refreshTokens.find(value);
      const ctx = currentContext();
      if (ctx?.oidc.route !== 'revocation') {
        if (found?.state !== 'current') return undefined;
        await preloadSignIn(services, found.family.accountId, found.payload);
        return { ...found.payload, jti: value };
      }
      if (!found) return undefined;
      foundAtRevocation.set(ctx, found);
      // The library would end the whole grant; `destroy` ends the family.
      if (found.state === 'current') return { ...found.payload, jti: value, grantId: undefined };
      // A client that lost the response to a refresh signs out with the spent token that it has.
      if (found.state !== 'gone')
        return { kind: 'RefreshToken', jti: value, clientId: found.family.clientId };
      // Its family is gone, but access tokens may be left: the holder may end those.
      return { kind: 'RefreshToken', jti: value, clientId: ctx.oidc.client?.clientId };
    },
    destroy: async (value) => {
      const ctx = currentContext();
      const found = (ctx && foundAtRevocation.get(ctx)) ?? (await refreshTokens.find(value));
      if (!found) return;
      await endFoundFamily(found, revocation);
    },
  };
}

/** Every method reports errors of stores and limits as protocol errors. */
function withUnavailable(adapter: Adapter): Adapter {
  const wrapped = Object.entries(adapter).map(([name, method]) => [
    name,
    (...args: unknown[]) => orUnavailable(() => method(...args)),
  ]);
  return Object.fromEntries(wrapped);
}
