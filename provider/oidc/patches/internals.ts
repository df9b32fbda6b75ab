/**
 * The only file that imports oidc-provider's unpublished modules, so that an upgrade has one place to check (with
 * `table.ts`, which lists the overridden members). What is used and why:
 * - `helpers/grant_common.js`, `helpers/grants.js`: the steps that the library's own grants consist of, so that ours cannot
 *   leave one out (account check, sender constraint, resource, id token, response).
 * - `actions/grants/client_credentials.js`: its handler; ours fills in default scopes and then calls it.
 * - `actions/grants/device_code.js`: its handler; ours adds `slow_down`.
 * - `actions/discovery.js`: makes the metadata of the issuer, which is published without the library.
 * - `actions/end_session.js`: the step that ends a session; it is called also where the person is not asked.
 * - `helpers/re_render_errors.js`: the error for which the page for device codes is shown again. Any other error would be
 *   sent to the device and end its code.
 * - `helpers/fetch_request.js`: the library's way to send requests, with its guard against private addresses. It is called
 *   once at the start, to see that the guard is in force. Its list of addresses that are not public is used for documents
 *   that clients publish.
 * - `helpers/router.js`: the first step of each route is replaced in `table.ts`.
 * - `helpers/als.js`: the storage behind `Provider.ctx`, for requests that enter by the JSON API.
 */

import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import discovery from 'oidc-provider/lib/actions/discovery.js';
import { confirm as logoutSteps } from 'oidc-provider/lib/actions/end_session.js';
import { handler as clientCredentialsHandler } from 'oidc-provider/lib/actions/grants/client_credentials.js';
import { handler as deviceCodeHandler } from 'oidc-provider/lib/actions/grants/device_code.js';
import als from 'oidc-provider/lib/helpers/als.js';
import fetchRequest, { isSpecialUseIP } from 'oidc-provider/lib/helpers/fetch_request.js';
import * as grantCommon from 'oidc-provider/lib/helpers/grant_common.js';
import * as grantHelpers from 'oidc-provider/lib/helpers/grants.js';
import Router from 'oidc-provider/lib/helpers/router.js';
import type { GrantSteps } from '../grants/grant.ts';

export { AlreadyUsedError as DeviceCodeUsed } from 'oidc-provider/lib/helpers/re_render_errors.js';

/** A member of one of the library's classes. */
// biome-ignore lint/suspicious/noExplicitAny: the library builds its classes at run time; their types do not allow overriding.
export type Method = (this: any, ...args: any[]) => any;

/** @returns the library's grant steps for this Provider; the tests of the flows hold their declared shape against the library */
export function grantStepsOf(provider: Provider): GrantSteps {
  const bound = Object.fromEntries(
    Object.entries({ ...grantHelpers }).map(([name, helper]) => [
      name,
      (...args: unknown[]) => helper(provider, ...args),
    ]),
  );
  const steps: Record<string, unknown> = {
    ...bound,
    validateAccount: (...args: unknown[]) => grantCommon.validateAccount(provider, ...args),
    createAccessToken: (...args: unknown[]) => grantCommon.createAccessToken(provider, ...args),
    issueIdToken: (...args: unknown[]) => grantCommon.issueIdToken(provider, ...args),
    issueTokens: (...args: unknown[]) => grantCommon.issueTokens(provider, bound, ...args),
    clientCredentials: (ctx: unknown) => clientCredentialsHandler(provider, bound, ctx),
    deviceCode: (ctx: unknown) => deviceCodeHandler(provider, bound, ctx),
  };
  return steps as unknown as GrantSteps;
}

/**
 * Ends the session of a logout request, as the library does when the person agreed. The library must have checked the
 * request and noted it in the session.
 */
export async function endSession(ctx: KoaContextWithOIDC): Promise<void> {
  const step = logoutSteps.find(({ name }) => name === 'endSession');
  if (!step) throw new Error('oidc-provider has no step that ends a session');
  Object.assign(ctx.oidc.params ?? {}, { logout: 'yes' });
  await step(ctx);
}

/** The library's metadata of the issuer, as its own route answers it. */
export function discoveryOf(provider: Provider): { scopes_supported: string[] } {
  const { issuer } = provider;
  const urlFor = (name: string) => provider.urlFor(name);
  const ctx = { oidc: { provider, issuer, urlFor }, body: { scopes_supported: [] as string[] } };
  discovery(ctx);
  return ctx.body;
}

/** Runs `work` so that `Provider.ctx` gives `ctx`, as it does inside the library's own routes. */
export function runInProviderContext<T>(ctx: KoaContextWithOIDC, work: () => Promise<T>): Promise<T> {
  return als.run(ctx, work);
}

export { isSpecialUseIP, Router };

/** Sends a request as the library sends its own: to `jwks_uri` and the like. */
export function fetchAsLibrary(provider: Provider, url: string): Promise<Response> {
  return fetchRequest(provider, url, { method: 'GET' });
}
