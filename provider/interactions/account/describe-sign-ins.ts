import { currentRequestScope } from '../../lib/request-scope.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import type { SignInEntry } from '../../oidc/sessions/sign-ins.ts';
import type { RecentSignIn } from '../../ports/sign-in-history.ts';
import type { Renderer } from '../render.ts';
import type { TimeView } from '../view-values.ts';
import type { AccountDeps } from './account-deps.ts';
import { browserName } from './browser-name.ts';
import type { AccountView, RecentSignInView } from './view-models.ts';

type Deps = Pick<AccountDeps, 'app' | 'now' | 'sessionHandle'>;

/** The data of a sign-in that the page shows. */
export type ListedSignIn = Omit<SignInEntry, 'expiresAt'>;

/** One page of the list of sign-ins. */
export interface ListedPage {
  signIns: readonly ListedSignIn[];
  isFirst: boolean;
}

/**
 * The sign-ins of an account as the page shows them: browsers with the apps that depend on them, and other apps. An app
 * is listed separately if its browser is on another page. The browser of the request is on the first page only.
 */
export function describeSignIns(
  deps: Deps,
  renderer: Renderer,
  session: BrowserSession,
  { signIns, isFirst }: ListedPage,
): Pick<AccountView, 'browsers' | 'apps'> {
  const here = deps.sessionHandle(session.uid);
  const sessions = signIns.filter(({ kind }) => kind === 'session');
  const known = new Set(sessions.map(({ id }) => id));
  if (isFirst) known.add(here);
  else known.delete(here);
  const families = signIns.filter(({ kind }) => kind === 'family');
  const nameOf = ({ clientId = '' }: ListedSignIn) => deps.app(clientId)?.name ?? clientId;
  const appsOf = (id: string) => families.filter(({ sessionId }) => sessionId === id).map(nameOf);
  // A session is added to the list only after the response to its sign-in. The browser may request this page before
  // that.
  const own = sessions.find(({ id }) => id === here) ?? ownSignIn(here, session, deps.now());
  const browsers = [...(isFirst ? [own] : []), ...sessions.filter(({ id }) => id !== here)];
  const apps = families.filter(({ sessionId }) => sessionId === undefined || !known.has(sessionId));
  return {
    browsers: browsers.map((signIn) => ({
      ...factsOf(signIn),
      name: nameOfBrowser(renderer, signIn) ?? renderer.text('account.unknown-browser'),
      isHere: signIn.id === here,
      apps: [...new Set(appsOf(signIn.id))],
    })),
    apps: apps.map((signIn) => ({
      ...factsOf(signIn),
      name: nameOf(signIn),
      browser: nameOfBrowser(renderer, signIn),
    })),
  };
}

function ownSignIn(id: string, { startedAt }: BrowserSession, now: number): ListedSignIn {
  const { clientAddress: ip, userAgent } = currentRequestScope() ?? {};
  return { kind: 'session', id, startedAt, lastUsedAt: now, ip, userAgent };
}

const factsOf = ({ id, ip, startedAt, lastUsedAt }: ListedSignIn) => ({
  id,
  ip,
  since: timeView(startedAt),
  lastUsed: timeView(lastUsedAt),
});

const nameOfBrowser = (renderer: Renderer, { userAgent }: Pick<ListedSignIn, 'userAgent'>) =>
  nameOfUserAgent(renderer, userAgent);

/** A name like 'Chrome on Linux'. Undefined for a program. */
export function nameOfUserAgent({ text }: Renderer, userAgent: string | undefined): string | undefined {
  const { browser, system } = browserName(userAgent) ?? {};
  if (browser === undefined) return undefined;
  return system === undefined ? browser : text('account.browser', { browser, system });
}

/** One of the last sign-ins as the page shows it. */
export function describeRecent(
  deps: Pick<AccountDeps, 'app'>,
  renderer: Renderer,
  { at, clientId, amr, ip, userAgent }: RecentSignIn,
): RecentSignInView {
  return {
    at: timeView(at),
    app: deps.app(clientId)?.name ?? clientId,
    method: renderer.text(`account.recent.${methodOf(amr)}`),
    browser: nameOfBrowser(renderer, { userAgent }),
    ip,
  };
}

function methodOf(amr: readonly string[]): string {
  if (!amr.includes('pwd')) return 'passkey';
  return amr.includes('mfa') ? 'two-factors' : 'password';
}

/** @param time milliseconds since the epoch */
export function timeView(time: number): TimeView {
  const iso = new Date(time).toISOString();
  return { iso, text: `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` };
}
