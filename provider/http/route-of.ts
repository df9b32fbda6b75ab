const patterns: [RegExp, string][] = [
  [/^\/oauth2\/authorize\/[^/]+$/, '/oauth2/authorize/:uid'],
  [/^\/device\/[^/]+$/, '/device/:uid'],
  [/^\/interaction\/[^/]+(?<step>\/(?:sign-in|sign-up|consent))?$/, '/interaction/:uid'],
  [/^\/assets\/[^/]+$/, '/assets/:file'],
  // Behind it stands what a gateway wants, and often the path of the request that it asks about.
  [/^\/auth\/verify(?=[;/]|$)/, '/auth/verify'],
];

const known = new Set([
  '/',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
  '/oauth2/authorize',
  '/oauth2/token',
  '/oauth2/userinfo',
  '/oauth2/introspect',
  '/oauth2/revoke',
  '/oauth2/par',
  '/oauth2/device',
  '/device',
  '/oauth2/logout',
  '/oauth2/logout/confirm',
  '/oauth2/logout/success',
  '/auth/login',
  '/auth/refresh',
  '/auth/logout',
  '/auth/register',
  '/user/profile',
  '/account',
  '/account/signed-in',
  '/account/signed-out',
  '/account/end',
  '/account/sign-out-everywhere',
  '/account/withdraw',
  '/account/password',
  '/openapi.json',
]);

/** @returns the pattern a path belongs to, for labels that must stay few: never the path itself */
export function routeOf(path: string): string {
  if (known.has(path)) return path;
  for (const [pattern, route] of patterns) {
    const match = pattern.exec(path);
    if (match) return `${route}${match.groups?.step ?? ''}`;
  }
  return 'unknown';
}
