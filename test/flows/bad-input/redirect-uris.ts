import { demoApps } from '../../support/test-client.ts';
import { type BadInput, form, page, toClient, toPerson } from './row.ts';
import { callback, type World } from './world.ts';

/** Each nearly equals the registered redirect URI. */
const near: [name: string, uri: string][] = [
  ['a slash more', `${callback}/`],
  ['a query', `${callback}?a=b`],
  ['an empty query', `${callback}?`],
  ['a fragment', `${callback}#a`],
  ['http', callback.replace('https', 'http')],
  ['another port', 'https://app.example.com:8443/callback'],
  ['the default port written out', 'https://app.example.com:443/callback'],
  ['another case in the path', 'https://app.example.com/Callback'],
  ['another case in the host', 'https://APP.example.com/callback'],
  ['another case in the scheme', 'HTTPS://app.example.com/callback'],
  ['a dot after the host', 'https://app.example.com./callback'],
  ['a host below it', 'https://evil.app.example.com/callback'],
  ['a host that begins like it', 'https://app.example.com.evil.example/callback'],
  ['it as a user name', 'https://app.example.com@evil.example/callback'],
  ['a path that leads there', 'https://app.example.com/x/../callback'],
  ['a path that begins like it', 'https://app.example.com/callback-evil'],
  ['a slash twice', 'https://app.example.com//callback'],
  ['an escape', 'https://app.example.com/%63allback'],
  ['a backslash', 'https://app.example.com\\@evil.example/callback'],
  ['a space', `${callback} `],
  ['a NUL', `${callback}\0`],
  ['a line break', `${callback}\r\nLocation: https://evil.example`],
  ['similar letters of another alphabet', 'https://\u0430pp.example.com/callback'],
  ['two addresses in one value', `${callback} https://app.example.com/other`],
  ['a script', 'javascript:alert(1)'],
  ['1,500 characters', `${callback}?${'a'.repeat(1_500)}`],
  ["another app's", demoApps.web.redirectUri],
];

const noAddress = toPerson(400, 'invalid_redirect_uri', /did not match any/);
const missing = toPerson(400, 'invalid_request', /redirect_uri/);
const asked = (parameters: Record<string, string | undefined>) => (world: World) =>
  page(world.authorize(parameters), { Cookie: world.cookie() });

/**
 * Redirect URIs that nearly match. The address can't be trusted, so a page shows the error and there is no redirect.
 * The browser has a session and a consent, so only the redirect URI prevents a code.
 */
export const redirectUris: BadInput[] = [
  ...near.map(([name, redirect_uri]) => ({
    name: `a redirect URI with ${name}`,
    send: asked({ redirect_uri }),
    expected: noAddress,
  })),
  ...near.map(([name, redirect_uri]) => ({
    name: `a redirect URI with ${name}, in a request with another error`,
    send: asked({ redirect_uri, scope: 'openid contracts:write', prompt: 'none' }),
    expected: noAddress,
  })),
  ...near.map(([name, redirect_uri]) => ({
    name: `a redirect URI with ${name}, pushed`,
    send: (world: World) => {
      const { search } = new URL(world.exact.authorizationUrl({ redirect_uri }));
      return form('/oauth2/par', `${search.slice(1)}&client_secret=exact-secret`);
    },
    expected: toClient(400, 'invalid_request', /did not match any/),
  })),
  { name: 'an empty redirect URI', send: asked({ redirect_uri: '' }), expected: missing },
  {
    name: 'no redirect URI where there are two',
    send: asked({ redirect_uri: undefined }),
    expected: missing,
  },
  {
    name: 'two redirect URIs',
    send: (world) =>
      page(`${world.authorize()}&redirect_uri=https%3A%2F%2Fevil.example`, { Cookie: world.cookie() }),
    expected: toPerson(400, 'invalid_request', /must not be provided twice/),
  },
  ...[
    'http://127.0.0.1:51004/other',
    'http://127.0.0.2:51004/callback',
    'https://127.0.0.1:51004/callback',
  ].map((redirect_uri) => ({
    name: `the redirect URI ${redirect_uri} of a native app`,
    send: asked({ client_id: 'native', redirect_uri }),
    expected: noAddress,
  })),
];
