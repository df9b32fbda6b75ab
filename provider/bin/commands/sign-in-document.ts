import type { SignInEntry } from '../../oidc/sessions/sign-ins.ts';
import { isoTime, table } from '../cli/table.ts';

const kinds = { session: 'browser', family: 'app' } as const;

/** Returns a place where an account is signed in, as commands show it. */
export function signInDocument(place: SignInEntry): Record<string, unknown> {
  return {
    id: place.id,
    kind: kinds[place.kind],
    clientId: place.clientId ?? null,
    sessionId: place.sessionId ?? null,
    startedAt: isoTime(place.startedAt),
    lastUsedAt: isoTime(place.lastUsedAt),
    expiresAt: isoTime(place.expiresAt),
    ip: place.ip ?? null,
    userAgent: place.userAgent ?? null,
  };
}

/** Puts each browser together with the apps that end with it. Otherwise the given order stays. */
export function grouped(places: readonly SignInEntry[]): SignInEntry[] {
  const ids = new Set(places.map(({ id }) => id));
  const isBelow = ({ sessionId }: SignInEntry) => sessionId !== undefined && ids.has(sessionId);
  return places
    .filter((place) => !isBelow(place))
    .flatMap((place) => [place, ...places.filter(({ sessionId }) => sessionId === place.id)]);
}

const headings = ['kind', 'id', 'client', 'since', 'last used', 'expires', 'address', 'user agent'];

/** Returns the same as text for a person. An app that ends with a browser's session is listed below it. */
export function signInTable(places: readonly SignInEntry[]): string {
  const rows = places.map((place) => [
    `${place.sessionId === undefined ? '' : '  '}${kinds[place.kind]}`,
    place.id,
    place.clientId ?? '-',
    ...[place.startedAt, place.lastUsedAt, place.expiresAt].map(isoTime),
    place.ip ?? '-',
    place.userAgent ?? '-',
  ]);
  return table(headings, rows);
}
