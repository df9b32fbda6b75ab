/** Shapes of the library's unpublished modules, as read in 9.13.3. Only `internals.ts` may import them. */
declare module 'oidc-provider/lib/helpers/als.js' {
  import type { AsyncLocalStorage } from 'node:async_hooks';

  const als: AsyncLocalStorage<unknown>;
  // biome-ignore lint/style/noDefaultExport: it is how the library exports it.
  export default als;
}

declare module 'oidc-provider/lib/helpers/grant_common.js' {
  type Helper = (...args: unknown[]) => unknown;
  export const issueTokens: Helper;
  export const issueIdToken: Helper;
  export const createAccessToken: Helper;
  export const validateAccount: Helper;
}

declare module 'oidc-provider/lib/helpers/grants.js' {
  type Helper = (...args: unknown[]) => unknown;
  export const validateDpop: Helper;
  export const checkDpopRequired: Helper;
  export const checkDpopReplay: Helper;
  export const validateGrant: Helper;
  export const resolveAndApplyResource: Helper;
  export const resolveRequestedResources: Helper;
  export const applyAuthorizationDetails: Helper;
  export const applyRefreshTokenBindings: Helper;
  export const shouldIssueRefreshToken: Helper;
  export const validateClientScope: Helper;
  export const checkMtlsCert: Helper;
  export const buildTokenResponse: Helper;
}

declare module 'oidc-provider/lib/actions/discovery.js' {
  // biome-ignore lint/style/noDefaultExport: it is how the library exports it.
  export default function discovery(ctx: object): void;
}

declare module 'oidc-provider/lib/actions/end_session.js' {
  export const confirm: ((...args: unknown[]) => Promise<void>)[];
}

declare module 'oidc-provider/lib/actions/grants/client_credentials.js' {
  export const handler: (...args: unknown[]) => Promise<void>;
}

declare module 'oidc-provider/lib/actions/grants/device_code.js' {
  export const handler: (...args: unknown[]) => Promise<void>;
}

declare module 'oidc-provider/lib/helpers/re_render_errors.js' {
  export class AlreadyUsedError extends Error {
    constructor(userCode?: string);
  }
}

declare module 'oidc-provider/lib/helpers/fetch_request.js' {
  import type { Provider } from 'oidc-provider';

  // biome-ignore lint/style/noDefaultExport: it is how the library exports it.
  export default function fetchRequest(
    provider: Provider,
    url: string,
    options: { method: string },
  ): Promise<Response>;

  export function isSpecialUseIP(address: string): boolean;
}

declare module 'oidc-provider/lib/helpers/router.js' {
  type Step = (ctx: never, next: () => Promise<void>) => unknown;
  type Register = (name: string, path: string, ...steps: Step[]) => unknown;
  // biome-ignore lint/style/noDefaultExport: it is how the library exports it.
  export default class Router {
    get: Register;
    post: Register;
    put: Register;
    delete: Register;
    options: Register;
  }
}
