import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';
import { Provider } from 'oidc-provider';
import { createOidcConfiguration } from './configuration.ts';
import type { TokenGrant } from './grants/grant.ts';
import { listen } from './listeners.ts';
import { grantStepsOf } from './patches/internals.ts';
import { keepFailure } from './patches/late-failures.ts';
import { keepLogoutLanguage } from './patches/logout-language.ts';
import { prefillUserCode } from './patches/prefill-user-code.ts';
import { applyPatches } from './patches/table.ts';
import type { PrivateKeys } from './provider-host.ts';
import type { OidcServices } from './services.ts';
import { SigningKey } from './tokens/signing-key.ts';
import { orUnavailable } from './unavailable.ts';

/**
 * Builds one Provider over one set of keys. It takes about 2 ms: keys rotate by building another.
 * @param jwks private keys, the signing one first
 */
export function buildProvider(
  services: OidcServices,
  grants: readonly TokenGrant[],
  jwks: PrivateKeys,
): Provider {
  const signed = (kid: string) => services.metrics.signatures.inc({ kid });
  const keys = jwks.keys.map((jwk) => new SigningKey(jwk, signed));
  const provider = new Provider(services.issuer, createOidcConfiguration(services, { keys }));
  // The library trusts proxy headers. We write these headers ourselves, only from the issuer.
  provider.proxy = true;
  applyPatches(provider, services);
  const steps = grantStepsOf(provider);
  for (const grant of grants) {
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
  listen(provider, services);
  return provider;
}

/** Discovery changes with a release, not with a request: callers may cache it, and ask whether it changed. */
const cacheDiscovery: Middleware = async (ctx, next) => {
  await next();
  if (ctx.oidc?.route !== 'discovery' || ctx.status !== 200) return;
  ctx.set('Cache-Control', 'public, max-age=3600, stale-while-revalidate=3600');
  ctx.etag = createHash('sha256').update(JSON.stringify(ctx.body)).digest('base64url').slice(0, 22);
  if (ctx.fresh) ctx.status = 304;
};
