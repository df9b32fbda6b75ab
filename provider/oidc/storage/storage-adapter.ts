import { type Adapter, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { ArtifactKind } from '../../ports/oidc-store.ts';
import type { ClientDirectory } from '../client-facts.ts';
import { deviceCodeSeconds } from '../patches/device-codes.ts';
import { accessTokenPayload, unwrapToken } from '../tokens/access-token-payload.ts';
import { type AccessTokenVerifier, isMachineToken } from '../tokens/access-token-verifier.ts';
import type { Grants } from '../tokens/grants.ts';
import { orUnavailable } from '../unavailable.ts';
import { createArtifactAdapter } from './artifact-adapter.ts';
import { createCodeAdapter } from './code-adapter.ts';
import { createPushedRequestAdapter, type PushedRequestDeps } from './pushed-requests.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import { verifiedOnce } from './verified-once.ts';

export interface StorageAdapterDeps extends PushedRequestDeps {
  issuer: string;
  clients: ClientDirectory;
  grants: Pick<Grants, 'byId'>;
  refreshTokens: RefreshTokens;
  accessTokens: Pick<AccessTokenVerifier, 'verify'>;
  revocation: {
    revokeToken(jti: string): Promise<void>;
    endFamily(familyId: string): Promise<void>;
    endSessionAtClient(sid: string): Promise<void>;
    signOutOfClient(sid: string): Promise<void>;
  };
  /** How long a repeat of a spent code is forgiven, for clients that don't say. */
  graceSeconds: number;
}

const nothing: Adapter = {
  upsert: async () => {},
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => {},
  destroy: async () => {},
  revokeByGrantId: async () => {},
};

/** The route of the library that is being served, if one is. */
const currentContext = () => Provider.ctx as KoaContextWithOIDC | undefined;

/** @returns the library's adapter factory: one row for each kind of thing it stores */
export function createStorageAdapter(deps: StorageAdapterDeps): (kind: string) => Adapter {
  const artifact = (kind: ArtifactKind) => createArtifactAdapter(kind, deps);
  const accessTokens = { verify: verifiedOnce((token) => deps.accessTokens.verify(token), currentContext) };
  const table: Record<string, () => Adapter> = {
    Session: () => artifact('Session'),
    Interaction: () => artifact('Interaction'),
    AuthorizationCode: () => codeAdapter(deps, 'AuthorizationCode', 'authorization code'),
    // RFC 8628 §3.5: a device whose code expired is told so, and so is the person who enters it.
    DeviceCode: () => codeAdapter(deps, 'DeviceCode', 'device code', deviceCodeSeconds),
    PushedAuthorizationRequest: () => createPushedRequestAdapter(deps),
    ReplayDetection: () => artifact('ReplayDetection'),
    AccessToken: () => accessTokenAdapter({ ...deps, accessTokens }),
    ClientCredentials: () => machineTokenAdapter({ ...deps, accessTokens }),
    RefreshToken: () => refreshTokenAdapter(deps),
    Grant: () => ({ ...nothing, find: (grantId) => deps.grants.byId(grantId) }),
    Client: () => ({ ...nothing, find: async (id) => deps.clients.metadata(id) }),
  };
  return (kind) => {
    const row = table[kind];
    if (!row) throw new Error(`no adapter for ${kind}: its feature is off`);
    return withUnavailable(row());
  };
}

function codeAdapter(
  deps: StorageAdapterDeps,
  kind: ArtifactKind,
  what: string,
  keepExpiredSeconds?: number,
) {
  return createCodeAdapter({
    clock: deps.clock,
    what,
    endFamily: (id: string) => deps.revocation.endFamily(id),
    graceSeconds: (clientId) => deps.clients.find(clientId)?.graceSeconds ?? deps.graceSeconds,
    artifact: (options) => createArtifactAdapter(kind, { ...deps, ...options, keepExpiredSeconds }),
  });
}

function accessTokenAdapter({ accessTokens, revocation, ...deps }: StorageAdapterDeps): Adapter {
  return {
    ...nothing,
    find: async (value) => {
      const claims = await accessTokens.verify(unwrapToken(value));
      if (!claims || isMachineToken(claims)) return undefined;
      return accessTokenPayload(claims, currentContext()?.oidc.route, deps.issuer);
    },
    destroy: (jti) => revocation.revokeToken(jti),
    // The library calls it at logout only: for every client of the session, or for the one signed out of.
    revokeByGrantId: async (grantId) => {
      const authorizations = currentContext()?.oidc.session?.authorizations ?? {};
      const ended = Object.values(authorizations).find((authorization) => authorization.grantId === grantId);
      if (!ended?.sid) return;
      // With `logout` the session itself ends; without, the person stays signed in elsewhere.
      if (currentContext()?.oidc.params?.logout) await revocation.endSessionAtClient(ended.sid);
      else await revocation.signOutOfClient(ended.sid);
    },
  };
}

function machineTokenAdapter({ accessTokens, revocation }: StorageAdapterDeps): Adapter {
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

function refreshTokenAdapter({ refreshTokens, revocation }: StorageAdapterDeps): Adapter {
  return {
    ...nothing,
    upsert: async (value, payload) => {
      const opened = await refreshTokens.open(value, { ...payload });
      if (!opened) throw new errors.InvalidGrant('this sign-in was ended');
    },
    find: async (value) => {
      const found = await refreshTokens.find(value);
      const revokes = currentContext()?.oidc.route === 'revocation';
      // Its family is gone, but may have left access tokens behind: whoever has it may end those.
      if (!found && revokes && refreshTokens.familyOf(value) !== undefined)
        return { kind: 'RefreshToken', jti: value, clientId: currentContext()?.oidc.client?.clientId };
      // Who lost the answer to a refresh signs out with what they have: a spent token still names its family.
      if (found && found.state !== 'current' && revokes)
        return { kind: 'RefreshToken', jti: value, clientId: found.clientId };
      if (found?.state !== 'current') return undefined;
      const payload = { ...found.payload, jti: value };
      // At revocation the library would end the whole grant; ending the family is `destroy`.
      return revokes ? { ...payload, grantId: undefined } : payload;
    },
    destroy: async (value) => {
      const familyId = (await refreshTokens.find(value))?.familyId ?? refreshTokens.familyOf(value);
      if (familyId !== undefined) await revocation.endFamily(familyId);
    },
  };
}

function withUnavailable(adapter: Adapter): Adapter {
  const wrapped = Object.entries(adapter).map(([name, method]) => [
    name,
    (...args: unknown[]) => orUnavailable(async () => method(...args)),
  ]);
  return Object.fromEntries(wrapped);
}
