import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { runProgram } from '../support/program.ts';
import { createTestClient, demoApps, type TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, stepOf } from '../support/user-agent.ts';
import { withHeaders } from '../support/wrapped-deployment.ts';
import { writeFiles } from '../views/own-folder.ts';

const layout = `<!doctype html><html lang="<%= it.language %>" dir="<%= it.text('page.dir') %>">
<title><%= it.text('page.title', { title: it.pageTitle, app: it.appName }) %></title>
<link rel="stylesheet" href="<%= it.stylesheet %>"><link rel="icon" href="<%= it.icon %>">
<body class="of-the-house"><img src="<%= it.brandLogo %>" alt="<%= it.appName %>"><%~ it.body %>
<% if (it.footer) { %><%~ include('@partials/footer') %><% } %></body></html>`;

const files = {
  'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  'views/layout.eta': layout,
  'views/assets/gatehouse.css': 'body { color: teal }',
  'views/text/de.json': JSON.stringify({
    'sign-in.submit': 'Hinein',
    'scope.contracts:read': 'Ihre Verträge lesen',
  }),
};

let folder: string;
let deployment: Deployment;
let web: TestClient;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-look-'));
  writeFiles(folder, files);
  deployment = await startEmbedded({
    env: {
      GATEHOUSE_APP_NAME: 'Acme',
      GATEHOUSE_LANGUAGES: 'en de',
      GATEHOUSE_LOGO_FILE: join(folder, 'logo.svg'),
      GATEHOUSE_ACCENT_COLOR: '#7a1f5c',
      GATEHOUSE_PRIVACY_URL: 'https://example.com/privacy',
      GATEHOUSE_VIEWS_FOLDER: join(folder, 'views'),
    },
  });
  web = createTestClient(deployment, demoApps.web);
}, 120_000);
afterAll(async () => {
  await deployment?.stop();
  rmSync(folder, { recursive: true });
});

/** A browser that prefers these languages. */
const visitor = (acceptLanguage = '') =>
  createUserAgent(withHeaders(deployment, () => ({ 'accept-language': acceptLanguage })));

/** The language of a page. Checks that all three places name the same language. */
function languageOf({ html, headers }: Page): string {
  const told = /<html lang="(?<lang>[^"]*)"/.exec(html)?.groups?.lang;
  expect(headers.get('content-language')).toBe(told);
  expect(headers.get('vary')).toContain('Accept-Language');
  return told ?? 'none';
}

const logoutUrl = (parameters: Record<string, string>) =>
  `${deployment.issuer}/oauth2/logout?${new URLSearchParams(parameters)}`;

describe('the language of a page', () => {
  test.each([
    ['', 'en', 'Page not found'],
    ['de-CH,de;q=0.9,en;q=0.8', 'de', 'Seite nicht gefunden'],
    ['en-GB,de;q=0.9', 'en', 'Page not found'],
    ['fr', 'en', 'Page not found'],
  ])('follows Accept-Language %j: %s', async (accept, language, words) => {
    const page = await visitor(accept).get(`${deployment.issuer}/nowhere`);
    expect(languageOf(page)).toBe(language);
    expect(page.html).toContain(words);
  });

  test('follows ui_locales from the first page of signing in to the last of signing out', async () => {
    const agent = visitor('en');
    const signIn = await agent.get(
      web.authorizationUrl({ ui_locales: 'fr de-AT', scope: 'openid contracts:read' }),
    );
    const refused = await agent.submit(signIn, { email: demo.email, password: 'wrong' });
    expect(refused.html).toContain('E-Mail-Adresse oder Passwort ist falsch.');
    const consent = await agent.submit(refused, { email: demo.email, password: demo.password });
    expect(consent.html).toContain('<bdi>Ihre Verträge lesen</bdi>');
    await agent.submit(consent, { decision: 'allow' });
    const logout = await agent.get(logoutUrl({ ui_locales: 'de' }));
    const done = await agent.submit(logout, { logout: 'yes' });
    expect(done.html).toContain('Sie sind abgemeldet');
    expect([signIn, refused, consent, logout, done].map(languageOf)).toEqual(Array(5).fill('de'));
  });

  test('follows ui_locales for a refused request', async () => {
    const url = web.authorizationUrl({ ui_locales: 'de', redirect_uri: 'https://evil.example/' });
    const page = await visitor('en').get(url);
    expect(page.status).toBe(400);
    expect(languageOf(page)).toBe('de');
  });

  test('follows ui_locales for a broken interaction', async () => {
    const agent = visitor('en');
    const page = await agent.get(web.authorizationUrl({ ui_locales: 'de' }));
    const forged = { ...page, html: page.html.replace(/name="csrf" value="[^"]*"/, 'name="csrf" value="x"') };
    const refused = await agent.submit(forged, { email: demo.email, password: demo.password });
    expect([refused.status, languageOf(refused)]).toEqual([400, 'de']);
  });

  test('ignores ui_locales if no requested language exists', async () => {
    const page = await visitor('de').get(web.authorizationUrl({ ui_locales: 'tlh ../../etc' }));
    expect(languageOf(page)).toBe('de');
  });

  test('is one of those in discovery', async () => {
    const url = `${deployment.issuer}/.well-known/openid-configuration`;
    const document = (await (await deployment.fetch(url)).json()) as Record<string, unknown>;
    expect(document.ui_locales_supported).toEqual(['en', 'de']);
  });
});

describe('a look of one’s own', () => {
  test('every page uses it: layout, texts, logo, links', async () => {
    const agent = visitor('de');
    const signIn = await agent.get(
      web.authorizationUrl({ scope: 'openid contracts:read', prompt: 'consent' }),
    );
    const signUp = await agent.get(stepOf(signIn, '/sign-up'));
    const consent = await agent.submit(signIn, { email: demo.email, password: demo.password });
    const logout = await agent.get(logoutUrl({}));
    const pages = {
      signIn,
      signUp,
      consent,
      logout,
      signedOut: await agent.submit(logout, {}),
      home: await agent.get(deployment.issuer),
      notFound: await agent.get(`${deployment.issuer}/nowhere`),
      refused: await agent.get(web.authorizationUrl({ redirect_uri: 'https://evil.example/' })),
    };
    for (const [name, { html }] of Object.entries(pages)) {
      expect({ name, html }).toEqual({ name, html: expect.stringContaining('<body class="of-the-house">') });
      expect(html).toContain('alt="Acme"');
      expect(html).toContain('<a href="https://example.com/privacy">Datenschutz</a>');
    }
    expect(signIn.html).toContain('>Hinein</button>');
  });

  test('files may be cached forever under their version, and can’t run scripts', async () => {
    const { html } = await visitor().get(deployment.issuer);
    const addresses = [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, address]) => address ?? '');
    expect(addresses.map((each) => each.split('?')[0])).toEqual([
      '/assets/gatehouse.css',
      '/assets/gatehouse.svg',
      '/assets/brand-logo.svg',
    ]);
    for (const address of addresses) {
      const answer = await deployment.fetch(deployment.issuer + address);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
      );
      expect(answer.headers.get('content-type')).toBe(
        address.includes('.css') ? 'text/css; charset=utf-8' : 'image/svg+xml',
      );
      const text = await answer.text();
      if (address.includes('.css'))
        expect(text).toMatch(/^body \{ color: teal \}\n:root \{ --accent: #7a1f5c;/);
      const other = await deployment.fetch(`${deployment.issuer}${address}0`);
      await other.arrayBuffer();
      expect(other.headers.get('cache-control')).toBe('no-cache');
    }
  });

  test.each(['nothing.css', '..%2ftext%2fen.json', '%2e%2e/layout.eta', '__proto__'])(
    'there is no file %s',
    async (name) => {
      const answer = await deployment.fetch(`${deployment.issuer}/assets/${name}`);
      await answer.arrayBuffer();
      expect(answer.status).toBe(404);
    },
  );
});

test('a start with unusable files is refused, and all problems are reported', async () => {
  writeFiles(folder, {
    'broken/logout.eta': '<% if ( %>',
    'broken/home.eta': "<%= it.text('home.titel') %>",
  });
  const env = {
    ...deployment.env,
    GATEHOUSE_APIS_FILE: join(folder, 'no-apis.yaml'),
    GATEHOUSE_VIEWS_FOLDER: join(folder, 'broken'),
    GATEHOUSE_LOGO_FILE: join(folder, 'broken', 'logout.eta'),
    GATEHOUSE_LANGUAGES: 'en tlh',
  };
  const program = runProgram(['dev'], { env, cwd: folder });
  expect(await program.ended).toBe(78);
  for (const problem of [
    /GATEHOUSE_APIS_FILE: the file .*no-apis\.yaml can't be read/,
    /\/broken\/logout\.eta can't be used/,
    /\/broken\/home\.eta: there is no text "home\.titel"/,
    /GATEHOUSE_LOGO_FILE: the file .* is no SVG/,
    /GATEHOUSE_LANGUAGES names tlh, which has no texts/,
  ])
    expect(program.stderr()).toMatch(problem);
  const check = runProgram(['config', 'check', '--for', 'dev'], { env, cwd: folder });
  expect(await check.ended).toBe(78);
  expect(check.stderr()).toMatch(/names tlh/);
  expect(check.stderr()).toMatch(/\/broken\/logout\.eta can't be used/);
}, 120_000);
