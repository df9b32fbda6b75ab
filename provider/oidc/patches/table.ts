import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { OidcServices } from '../services.ts';
import { findCodeWithoutSession, saveCode } from './authorization-codes.ts';
import { findByUserCode, saveDeviceCode } from './device-codes.ts';
import { type Method, Router, runInProviderContext } from './internals.ts';
import { findRefreshToken, noEvents, saveRefreshToken, storedForm } from './refresh-tokens.ts';
import {
  compareClientSecret,
  findClient,
  grantTypeAllowed,
  issueIdToken,
  isUniqueProof,
  noteEntity,
  postLogoutRedirectUriAllowed,
  redirectUriAllowed,
  takeOutOfflineAccess,
  urlFor,
} from './requests.ts';
import { destroySession, findSession, loginAccount, persistSession, saveSession } from './sessions.ts';

/** The version of oidc-provider against which every row was checked. A test fails when another one is installed. */
export const checkedVersion = '9.13.3';

interface Patch {
  /** The class, as the Provider names it. */
  model: string;
  /** A member of the prototype, or `static` and a member of the class. */
  member: string;
  /** Why the library's own behaviour is not enough. */
  why: string;
  /** The version of the library since which the override is needed in this form. */
  since: string;
  /** A test that fails without the override. */
  test: string;
  /** @returns the new member, given the library's own */
  override(original: Method, services: OidcServices, provider: Provider): Method;
}

/**
 * Every member of oidc-provider's classes that is overridden, each once. Look through all rows when the library is
 * upgraded, then raise `checkedVersion`. Unpublished modules of the library are imported in `internals.ts`; grants
 * that replace the library's own are in `../grants/`.
 */
export const patches: readonly Patch[] = [
  {
    model: 'BaseToken',
    member: 'getValueAndPayload',
    why: 'the library copies each code and token twice to store it, member for member (docs/upstream)',
    since: '9.13.3',
    test: 'test/oidc/stored-form.test.ts',
    override: storedForm,
  },
  {
    model: 'BaseToken',
    member: 'emit',
    why: 'for each code and token, the library makes the names of events that nothing here listens to',
    since: '9.13.3',
    test: 'test/oidc/stored-form.test.ts',
    override: noEvents,
  },
  {
    model: 'AuthorizationCode',
    member: 'save',
    why: 'a family id, the account’s and the client’s token version and the sid must exist before the first access token',
    since: '9.13.3',
    test: 'test/flows/families.test.ts',
    override: saveCode,
  },
  {
    model: 'AuthorizationCode',
    member: 'static find',
    why: 'a repeated code must be noticed also after its session ended; findAccount checks the session',
    since: '9.13.3',
    test: 'test/flows/code-races.test.ts',
    override: findCodeWithoutSession,
  },
  {
    model: 'DeviceCode',
    member: 'save',
    why: 'the family starts with the code, is independent of the browser’s session, and one browser decides about the code',
    since: '9.13.3',
    test: 'test/flows/device-races.test.ts',
    override: saveDeviceCode,
  },
  {
    model: 'DeviceCode',
    member: 'static findByUserCode',
    why: 'guesses at user codes are limited (RFC 8628 §5.1), and the browser that holds a code may continue',
    since: '9.13.3',
    test: 'test/flows/device-flow.test.ts',
    override: findByUserCode,
  },
  {
    model: 'RefreshToken',
    member: 'save',
    why: 'the first refresh token joins the family of its code, and its sign-in is listed',
    since: '9.13.3',
    test: 'test/flows/families.test.ts',
    override: saveRefreshToken,
  },
  {
    model: 'RefreshToken',
    member: 'static find',
    why: 'the library’s session binding compares grants and would end older families at a new consent',
    since: '9.13.3',
    test: 'test/flows/single-sign-on.test.ts',
    override: findRefreshToken,
  },
  {
    model: 'Session',
    member: 'static find',
    why: 'saveSession must know whether the session changed since it was found',
    since: '9.13.3',
    test: 'test/operations/round-trips.test.ts',
    override: findSession,
  },
  {
    model: 'Session',
    member: 'save',
    why: 'the sign-in of the session is listed for the person and the administrator, and an unchanged session is not written',
    since: '9.13.3',
    test: 'test/flows/sessions.test.ts',
    override: saveSession,
  },
  {
    model: 'Session',
    member: 'destroy',
    why: 'ending a session from inside does the same as ending it from outside, on every process',
    since: '9.13.3',
    test: 'test/flows/logout.test.ts',
    override: destroySession,
  },
  {
    model: 'Session',
    member: 'loginAccount',
    why: 'a session has the account’s token version, is remembered as the person chose, and is bound to the browser that sent the password',
    since: '9.13.3',
    test: 'test/flows/browser-defences.test.ts',
    override: loginAccount,
  },
  {
    model: 'Session',
    member: 'persist',
    why: 'a form without the session’s cookie gets a new session that the library fails to save',
    since: '9.13.3',
    test: 'test/flows/device-flow.test.ts',
    override: persistSession,
  },
  {
    model: 'ReplayDetection',
    member: 'static unique',
    why: 'the library finds and then saves, which two requests can both pass (DESIGN §6.1), and gives a repeated DPoP proof the error of the endpoint',
    since: '9.13.3',
    test: 'test/flows/replay-races.test.ts',
    override: isUniqueProof,
  },
  {
    model: 'Client',
    member: 'static find',
    why: 'the library hashes all metadata of the client for each request',
    since: '9.13.3',
    test: 'test/oidc/find-client.test.ts',
    override: findClient,
  },
  {
    model: 'Client',
    member: 'compareClientSecret',
    why: 'only digests of client secrets are kept, two may be live, and wrong ones are limited',
    since: '9.13.3',
    test: 'test/flows/limits-requests.test.ts',
    override: compareClientSecret,
  },
  {
    model: 'Client',
    member: 'redirectUriAllowed',
    why: 'with anyLoopbackPort, also a web app in development has any port on this machine; as a native app, the library would ask the person at each sign-in',
    since: '9.13.3',
    test: 'test/flows/loopback-ports.test.ts',
    override: redirectUriAllowed,
  },
  {
    model: 'Client',
    member: 'postLogoutRedirectUriAllowed',
    why: 'the same as for redirectUriAllowed',
    since: '9.13.3',
    test: 'test/flows/loopback-ports.test.ts',
    override: postLogoutRedirectUriAllowed,
  },
  {
    model: 'Client',
    member: 'responseTypeAllowed',
    why: 'the library drops offline_access without prompt=consent; here a consent that was given before is enough',
    since: '9.13.3',
    test: 'test/flows/scopes-and-audiences-consent.test.ts',
    override: takeOutOfflineAccess,
  },
  {
    model: 'Client',
    member: 'grantTypeAllowed',
    why: 'a grant that the client may not use is unauthorized_client (RFC 6749 §5.2), not invalid_request',
    since: '9.13.3',
    test: 'test/flows/client-authentication.test.ts',
    override: grantTypeAllowed,
  },
  {
    model: 'OIDCContext',
    member: 'urlFor',
    why: 'a DPoP proof is for the URL called (RFC 9449 §4.3), also where the JSON API enters a grant',
    since: '9.13.3',
    test: 'test/flows/dpop.test.ts',
    override: urlFor,
  },
  {
    model: 'OIDCContext',
    member: 'entity',
    why: 'log lines and events name the client and the account of a request, and its client’s document is looked up once',
    since: '9.13.3',
    test: 'test/operations/log-scope.test.ts',
    override: noteEntity,
  },
  {
    model: 'IdToken',
    member: 'issue',
    why: 'the JSON API’s responses have no id token, and signing one is expensive',
    since: '9.13.3',
    test: 'test/operations/round-trips.test.ts',
    override: issueIdToken,
  },
];

/** Fields of ours that the library stores with a model and gives back. */
export const keptFields: Readonly<Record<string, readonly string[]>> = {
  AuthorizationCode: ['familyId', 'tokenVersion', 'clientTokenVersion', 'sessionSid', 'ungrantedScope'],
  DeviceCode: ['familyId', 'tokenVersion', 'clientTokenVersion', 'ungrantedScope'],
  RefreshToken: [
    ...['familyId', 'tokenVersion', 'clientTokenVersion', 'sessionSid', 'ungrantedScope', 'indexedAt'],
  ],
  AccessToken: ['familyId', 'tokenVersion', 'clientTokenVersion'],
  Session: ['tokenVersion', 'indexedAt'],
};

// biome-ignore lint/suspicious/noExplicitAny: see Method.
type Model = any;

/** Applies every row to the classes of one Provider. Repeated for every Provider that is built. */
export function applyPatches(provider: Provider, services: OidcServices): void {
  const models = provider as unknown as Record<string, Model>;
  for (const [model, fields] of Object.entries(keptFields)) {
    const names = [...models[model].IN_PAYLOAD, ...fields];
    Object.defineProperty(models[model], 'IN_PAYLOAD', { value: names });
  }
  for (const { model, member, override } of patches) {
    const isStatic = member.startsWith('static ');
    const target = isStatic ? models[model] : models[model].prototype;
    const name = isStatic ? member.slice('static '.length) : member;
    target[name] = override(target[name], services, provider);
  }
}

/** The context of a request, before it has `oidc`. */
type NewContext = KoaContextWithOIDC & { app: Provider };

/** In place of the library's first step of each route, which gives the request its `ctx.oidc`. */
function contextAsValue(ctx: NewContext, next: () => Promise<void>): Promise<void> {
  Object.defineProperty(ctx, 'oidc', { value: new ctx.app.OIDCContext(ctx) });
  return runInProviderContext(ctx, next);
}

/**
 * Replaces the first step of each route of the library. Its own defines `ctx.oidc` as an accessor. V8 allocates the functions
 * of an accessor among its old objects, so the whole request stays in memory until those are collected, which costs each
 * request 30 µs of CPU time (docs/upstream). Here `ctx.oidc` is a value.
 */
for (const method of ['get', 'post', 'put', 'delete', 'options'] as const) {
  const register = Router.prototype[method];
  Router.prototype[method] = function addRoute(name, path, first, ...others) {
    if (first?.name !== 'ensureOIDC') throw new Error(`The route ${name} has another first step.`);
    return register.call(this, name, path, contextAsValue, ...others);
  };
}
