import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { newId, randomToken } from '../../lib/ids.ts';
import type { ClientDirectory } from '../client-facts.ts';
import type { SignedInBy } from '../sessions/accounts-view.ts';
import { isSessionAlive } from '../sessions/active-sign-ins.ts';
import type { BrowserBinding } from '../sessions/browser-binding.ts';
import type { SessionEnd } from '../sessions/end-session.ts';
import type { RefreshTokens } from '../storage/refresh-tokens.ts';
import { orUnavailable } from '../unavailable.ts';
import { type DeviceCodeDeps, extendDeviceCodes } from './device-codes.ts';
import { keepFields } from './model-fields.ts';

/** The fields of ours that the models carry. */
export interface FamilyFields {
  familyId?: string;
  tokenVersion?: number;
  /** The client's, when the family began. */
  clientTokenVersion?: number | undefined;
  /** The session at this client: ends when the person signs out of it, even if they sign in again. */
  sessionSid?: string | undefined;
}

export interface ModelDeps extends DeviceCodeDeps {
  clients: Pick<ClientDirectory, 'secretMatches'>;
  refreshTokens: Pick<RefreshTokens, 'generate'>;
  sessionEnd: SessionEnd;
  browserBinding: Pick<BrowserBinding, 'check'>;
  /** Whether the person signed out of the client this session was known to by this `sid`. */
  isSignedOut(sid: string): Promise<boolean>;
  /** Whether the account is as it was, and neither the family nor the session was ended, whatever their store says. */
  isSignedIn(accountId: string, by: SignedInBy): Promise<boolean>;
}

// biome-ignore lint/suspicious/noExplicitAny: the library's models are built at run time; their types don't allow overriding.
type Model = any;

const current = () => Provider.ctx as KoaContextWithOIDC | undefined;

/** Adds to a model what DESIGN §6 says the library lacks. Repeated for every Provider that is built. */
export function extendModels(provider: Provider, deps: ModelDeps): void {
  const kept: [model: Model, fields: string[]][] = [
    [provider.AuthorizationCode, ['familyId', 'tokenVersion', 'clientTokenVersion', 'sessionSid']],
    [provider.RefreshToken, ['familyId', 'tokenVersion', 'clientTokenVersion', 'sessionSid', 'indexedAt']],
    [provider.AccessToken, ['familyId', 'tokenVersion', 'clientTokenVersion']],
    [provider.Session, ['tokenVersion', 'indexedAt']],
  ];
  for (const [model, fields] of kept) keepFields(model, fields);
  startFamilyAtCode(provider.AuthorizationCode, deps);
  ignoreSessionBinding(provider.AuthorizationCode);
  extendDeviceCodes(provider, deps);
  joinFamilyAtRefreshToken(provider.RefreshToken, deps);
  bindRefreshTokenToSession(provider, deps);
  endSessionInFull(provider.Session, deps);
  rememberSignIn(provider.Session);
  requireBrowserBinding(provider.Session, deps);
  makeReplayCheckAtomic((provider as Model).ReplayDetection, deps);
  (provider.Client as Model).prototype.compareClientSecret = function compare(presented: string) {
    return orUnavailable(() => deps.clients.secretMatches(this.clientId, presented));
  };
}

/** A family's id must exist before its first access token does, so it is born with the code. */
function startFamilyAtCode(model: Model, deps: ModelDeps): void {
  const save = model.prototype.save;
  model.prototype.save = async function saveCode(...args: unknown[]) {
    const oidc = current()?.oidc;
    this.familyId ??= newId('fam');
    this.tokenVersion ??= oidc?.account?.tokenVersion;
    this.clientTokenVersion ??= deps.clientTokenVersion(this.clientId);
    this.sessionSid ??= await liveSid(oidc?.session, this.clientId, deps.isSignedOut);
    return save.apply(this, args);
  };
}

/** A session saved by a request that was under way may still hold the `sid` that was signed out: then it gets another. */
async function liveSid(
  session: Model | undefined,
  clientId: string,
  isSignedOut: ModelDeps['isSignedOut'],
): Promise<string | undefined> {
  const sid = session?.sidFor(clientId);
  if (sid === undefined || !(await orUnavailable(() => isSignedOut(sid)))) return sid;
  session.sidFor(clientId, randomToken(16));
  return session.sidFor(clientId);
}

/** A code is found whatever became of its session, so that its repeat is noticed; `findAccount` looks at the session. */
function ignoreSessionBinding(model: Model): void {
  const find = model.find;
  model.find = (value: string, options: object = {}) =>
    find.call(model, value, { ...options, ignoreSessionBinding: true });
}

function joinFamilyAtRefreshToken(model: Model, deps: ModelDeps): void {
  const save = model.prototype.save;
  model.prototype.save = function saveRefreshToken(...args: unknown[]) {
    const { AuthorizationCode, DeviceCode } = current()?.oidc.entities ?? {};
    const source = (AuthorizationCode ?? DeviceCode) as FamilyFields | undefined;
    this.familyId ??= source?.familyId ?? newId('fam');
    this.tokenVersion ??= source?.tokenVersion;
    this.clientTokenVersion ??= source?.clientTokenVersion;
    this.sessionSid ??= source?.sessionSid;
    this.expiresWithSession = endsWithSession(this);
    this.jti ??= deps.refreshTokens.generate(this.familyId);
    return save.apply(this, args);
  };
}

/** Without `offline_access` a family ends with the session it was born in (DESIGN §4); a password sign-in has none. */
export function endsWithSession(token: { scopes: Set<string>; sessionUid?: string | undefined }): boolean {
  return token.sessionUid !== undefined && !token.scopes.has('offline_access');
}

/**
 * Replaces the library's session binding, which compares grants and so would end older families at a new
 * consent: a family lives as long as the session, and until the person signs out of that client. At revocation a token
 * is found whatever became of its session: what was issued with it has to end.
 */
function bindRefreshTokenToSession(provider: Provider, deps: ModelDeps): void {
  const model: Model = provider.RefreshToken;
  const find = model.find;
  model.find = async function findBound(value: string, options: object = {}) {
    const token = await find.call(this, value, { ...options, ignoreSessionBinding: true });
    if (!token || current()?.oidc.route === 'revocation') return token;
    const isGood =
      (await isSessionAlive(provider.Session, token, deps.isSignedOut)) &&
      (await orUnavailable(() => deps.isSignedIn(token.accountId, token)));
    return isGood ? token : undefined;
  };
}

/** Every way to end a session from inside of it destroys it; what that takes is the same from outside. */
function endSessionInFull(model: Model, { sessionEnd }: ModelDeps): void {
  const destroy = model.prototype.destroy;
  model.prototype.destroy = function destroyInFull() {
    return orUnavailable(() => sessionEnd(this, () => destroy.call(this)));
  };
}

/**
 * A session belongs to the token version of the account that signed in, so 'sign out everywhere' ends it. Whether it is
 * remembered is decided by the last sign-in that said so; the library only ever makes it transient.
 */
function rememberSignIn(model: Model): void {
  const loginAccount = model.prototype.loginAccount;
  model.prototype.loginAccount = function login(details: object) {
    const { transient } = this;
    loginAccount.call(this, details);
    const { login } = (current()?.oidc.entities.Interaction?.result ?? {}) as {
      login?: { tokenVersion?: number; remember?: boolean };
    };
    this.tokenVersion = login?.tokenVersion;
    if (login?.remember === undefined) this.transient = transient;
    else this.transient = login.remember ? undefined : true;
  };
}

/**
 * Nobody is signed in by a password that was typed in another browser. The library repeats a sign-in with every later
 * step of its request; those are tied to the session that it made.
 */
function requireBrowserBinding(model: Model, { browserBinding }: ModelDeps): void {
  const loginAccount = model.prototype.loginAccount;
  model.prototype.loginAccount = function loginHere(details: { accountId: string }) {
    const { accountId } = details;
    const ctx = current();
    const { uid = '', lastSubmission } = ctx?.oidc.entities.Interaction ?? {};
    const isRepeated = lastSubmission?.login?.accountId === accountId;
    if (!isRepeated && !(ctx && browserBinding.check(ctx, { uid, accountId })))
      throw new errors.LoginRequired('the sign-in was finished in another browser');
    return loginAccount.call(this, details);
  };
}

/** RFC 9449 §11.1: a proof may be from a clock that is ahead by this much, and is good for as much longer. */
const clockAheadSeconds = 300;

/** The library's check is a find and then a save, which two requests can both pass (DESIGN §6.1). */
function makeReplayCheckAtomic(model: Model, { store, keys, clock }: ModelDeps): void {
  model.unique = async (issuer: string, jti: string, exp: number) => {
    const [key, ...older] = keys.lookupHashes('ReplayDetection', `${issuer} ${jti}`);
    for (const one of older) {
      if (await orUnavailable(() => store.find('ReplayDetection', one))) return false;
    }
    const expiresAt = Math.max(exp * 1000, clock.now()) + clockAheadSeconds * 1000;
    return orUnavailable(() => store.putIfAbsent('ReplayDetection', key, { payload: '', expiresAt }));
  };
}
