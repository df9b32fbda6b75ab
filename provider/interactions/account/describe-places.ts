import { currentRequestScope } from '../../lib/request-scope.ts';
import type { Renderer } from '../render.ts';
import type { AccountView } from '../view-models.ts';
import type { AccountDeps, AccountSession, Place } from './account-deps.ts';
import { browserName } from './browser-name.ts';
import { timeView } from './time-view.ts';

type Deps = Pick<AccountDeps, 'app' | 'now' | 'clientNetworkOf'>;

/** More than this nobody reads: of browsers and of apps, those used last. */
const most = 50;

/** Where somebody is signed in, for the page: browsers, each with the apps that depend on it, and apps on their own. */
export function describePlaces(
  deps: Deps,
  renderer: Renderer,
  session: AccountSession,
  places: readonly Place[],
): Pick<AccountView, 'browsers' | 'apps' | 'more'> {
  const here = deps.clientNetworkOf(session.uid);
  const sessions = places.filter(({ kind }) => kind === 'session');
  const known = new Set(sessions.map(({ id }) => id)).add(here);
  const families = places.filter(({ kind }) => kind === 'family');
  const nameOf = ({ clientId = '' }: Place) => deps.app(clientId)?.name ?? clientId;
  const appsOf = (id: string) => families.filter(({ sessionId }) => sessionId === id).map(nameOf);
  // Listed after its sign-in was answered: the first page may be sooner.
  const own = sessions.find(({ id }) => id === here) ?? ownPlace(here, session, deps.now());
  const browsers = [own, ...sessions.filter(({ id }) => id !== here)];
  const apps = families.filter(({ sessionId }) => sessionId === undefined || !known.has(sessionId));
  return {
    browsers: browsers.slice(0, most).map((place) => ({
      ...factsOf(place),
      name: nameOfBrowser(renderer, place) ?? renderer.text('account.unknown-browser'),
      isHere: place.id === here,
      apps: [...new Set(appsOf(place.id))],
    })),
    apps: apps.slice(0, most).map((place) => ({
      ...factsOf(place),
      name: nameOf(place),
      browser: nameOfBrowser(renderer, place),
    })),
    more: [browsers, apps].reduce((sum, { length }) => sum + Math.max(0, length - most), 0),
  };
}

function ownPlace(id: string, { startedAt }: AccountSession, now: number): Place {
  const { clientAddress: ip, userAgent } = currentRequestScope() ?? {};
  return { kind: 'session', id, startedAt, lastUsedAt: now, ip, userAgent };
}

const factsOf = ({ id, ip, startedAt, lastUsedAt }: Place) => ({
  id,
  ip,
  since: timeView(startedAt),
  lastUsed: timeView(lastUsedAt),
});

function nameOfBrowser({ text }: Renderer, { userAgent }: Place): string | undefined {
  const { browser, system } = browserName(userAgent) ?? {};
  if (browser === undefined) return undefined;
  return system === undefined ? browser : text('account.browser', { browser, system });
}
