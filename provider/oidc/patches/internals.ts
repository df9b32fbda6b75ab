/**
 * The one place that reaches into oidc-provider's unpublished modules (9.13.3), so that an upgrade has one
 * file to check. What is used and why:
 * - `helpers/grant_common.js`, `helpers/grants.js`: the steps its own grants are made of, so that ours can't
 *   forget one (account check, sender constraint, resource, id token, response).
 * - `actions/grants/client_credentials.js`: its handler, wrapped by ours which fills in default scopes.
 * - `actions/grants/device_code.js`: its handler, wrapped by ours which says when to slow down.
 * - `helpers/re_render_errors.js`: what the page for device codes is drawn again for; anything else that is thrown there
 *   would be told to the device and end its code.
 * - `helpers/als.js`: the store behind `Provider.ctx`, for requests that enter by the JSON API.
 */

import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { handler as clientCredentialsHandler } from 'oidc-provider/lib/actions/grants/client_credentials.js';
import { handler as deviceCodeHandler } from 'oidc-provider/lib/actions/grants/device_code.js';
import als from 'oidc-provider/lib/helpers/als.js';
import * as grantCommon from 'oidc-provider/lib/helpers/grant_common.js';
import * as grantHelpers from 'oidc-provider/lib/helpers/grants.js';

export { AlreadyUsedError as DeviceCodeUsed } from 'oidc-provider/lib/helpers/re_render_errors.js';

/**
 * The library's grant steps, bound to one Provider. Their shape is declared where they are used, in
 * `oidc/grants/grant.ts`; the flows' tests hold it against the library.
 */
export type GrantSteps = object;

/** @returns the library's grant steps for this Provider */
export function grantStepsOf(provider: Provider): GrantSteps {
  const bound = Object.fromEntries(
    Object.entries({ ...grantHelpers }).map(([name, helper]) => [
      name,
      (...args: unknown[]) => helper(provider, ...args),
    ]),
  );
  return {
    ...bound,
    validateAccount: (...args: unknown[]) => grantCommon.validateAccount(provider, ...args),
    createAccessToken: (...args: unknown[]) => grantCommon.createAccessToken(provider, ...args),
    issueIdToken: (...args: unknown[]) => grantCommon.issueIdToken(provider, ...args),
    issueTokens: (...args: unknown[]) => grantCommon.issueTokens(provider, bound, ...args),
    clientCredentials: (ctx: unknown) => clientCredentialsHandler(provider, bound, ctx),
    deviceCode: (ctx: unknown) => deviceCodeHandler(provider, bound, ctx),
  };
}

/** Runs `work` so that `Provider.ctx` gives `ctx`, as it does inside the library's own routes. */
export function runInProviderContext<T>(ctx: KoaContextWithOIDC, work: () => Promise<T>): Promise<T> {
  return als.run(ctx, work);
}
