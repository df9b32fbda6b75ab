import type { KnownBrowsers } from './known-browsers.ts';
import type { LimitedRequest } from './request-guard.ts';

/** Stub, replaced at the merge. */
export interface RateLimits {
  signIn<T>(visitor: { email: string; browser?: string | undefined }, work: () => Promise<T>): Promise<T>;
  signUp<T>(work: () => Promise<T>): Promise<T>;
  provePassword<T>(accountId: string, work: () => Promise<T>): Promise<T>;
  browsers: Pick<KnownBrowsers, 'read' | 'know'>;
  count(action: LimitedRequest): Promise<void>;
  clientSecret(clientId: string, matches: () => boolean): Promise<boolean>;
  userCode<T>(lookUp: () => Promise<T | undefined>): Promise<T | undefined>;
  pollsTooSoon(deviceCode: string): Promise<boolean>;
}
