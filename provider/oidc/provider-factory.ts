import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';
import { type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { createOidcConfiguration, type OidcConfigurationDeps } from './configuration.ts';
import { type ListenerDeps, listen } from './listeners.ts';
import { type IndexSignInsDeps, indexSignIns } from './patches/index-sign-ins.ts';
import { type GrantSteps, grantStepsOf } from './patches/internals.ts';
import { keepFailure } from './patches/late-failures.ts';
import { heedLeftOutIdTokens } from './patches/left-out-id-tokens.ts';
import { keepLogoutLanguage } from './patches/logout-language.ts';
import { extendModels, type ModelDeps } from './patches/models.ts';
import { prefillUserCode } from './patches/prefill-user-code.ts';
import { noteEntities } from './patches/request-notes.ts';
import type { PrivateKeys } from './provider-host.ts';
import { SigningKey } from './tokens/signing-key.ts';
import { orUnavailable } from './unavailable.ts';

/** A grant of ours. One registered under a name the library knows replaces the library's. */
export interface GrantDefinition {
  name: string;
  /** The request's parameters it reads, besides `grant_type` and the client's credentials. */
  parameters: readonly string[];
  handler(provider: Provider, steps: GrantSteps): (ctx: KoaContextWithOIDC) => Promise<void>;
}

export interface ProviderDeps {
  issuer: string;
  configuration: OidcConfigurationDeps;
  models: ModelDeps;
  signIns: IndexSignInsDeps;
  listeners: ListenerDeps;
  /** Told of each signature. */
  signed(kid: string): void;
  grants: readonly GrantDefinition[];
}

/**
 * Builds one Provider over one set of keys. Cheap (about 2 ms): keys rotate by building another.
 * @param jwks private keys, the signing one first
 */
export function buildProvider(deps: ProviderDeps, jwks: PrivateKeys): Provider {
  const keys = jwks.keys.map((jwk) => new SigningKey(jwk, deps.signed));
  const configuration: Configuration = createOidcConfiguration(deps.configuration, { keys });
  const provider = new Provider(deps.issuer, configuration);
  // The headers it trusts were written by `pinIssuer`, from the issuer alone.
  provider.proxy = true;
  extendModels(provider, deps.models);
  indexSignIns(provider, deps.signIns);
  noteEntities(provider);
  heedLeftOutIdTokens(provider);
  const steps = grantStepsOf(provider);
  for (const grant of deps.grants) {
    const parameters = [...grant.parameters, 'resource'];
    const handler = grant.handler(provider, steps);
    provider.registerGrantType(grant.name, (ctx) => orUnavailable(() => handler(ctx)), parameters, [
      'resource',
    ]);
  }
  provider.use(keepFailure);
  provider.use(cacheDiscovery);
  provider.use(keepLogoutLanguage);
  provider.use(prefillUserCode);
  listen(provider, deps.listeners);
  return provider;
}

/** Discovery changes with a release, not with a request: others may keep it, and ask whether it changed. */
const cacheDiscovery: Middleware = async (ctx, next) => {
  await next();
  if (ctx.oidc?.route !== 'discovery' || ctx.status !== 200) return;
  ctx.set('Cache-Control', 'public, max-age=3600, stale-while-revalidate=3600');
  ctx.etag = createHash('sha256').update(JSON.stringify(ctx.body)).digest('base64url').slice(0, 22);
  if (ctx.fresh) ctx.status = 304;
};
