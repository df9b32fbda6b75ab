import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pageHeaders } from '../../provider/interactions/page-headers.ts';
import { createPages } from '../../provider/interactions/pages.ts';
import type { SignInView } from '../../provider/interactions/view-models.ts';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { serve, serveAsset, type TestServer } from './page-server.ts';
import { samplePages } from './sample-pages.ts';

const pages = createPages({ appName: 'Gatehouse' });
const renderer = pages.for({});
const html = { 'Content-Type': 'text/html; charset=utf-8' };

let provider: TestServer;
let application: TestServer;
let browser: TestBrowser;
let postedOrigin: string | undefined;

/** A sign-in page. The response to its form is a redirect to `to`. */
async function startProvider() {
  return serve((request, response) => {
    if (serveAsset(pages.assets, request, response)) return;
    const url = new URL(request.url ?? '', 'http://provider');
    const to = url.searchParams.get('to') ?? '';
    if (request.method === 'POST') {
      postedOrigin = request.headers.origin;
      response.writeHead(303, { Location: to }).end();
      return;
    }
    const formAction = url.searchParams.getAll('allow');
    response.writeHead(200, { ...pageHeaders({ formAction }), ...html });
    const action = `/?to=${encodeURIComponent(to)}`;
    response.end(
      renderer.render('sign-in', { ...(samplePages['sign-in']?.model as SignInView), action }).html,
    );
  });
}

/** An application with a callback, and a page that signs in through a popup. */
async function startApplication() {
  return serve((request, response) => {
    const url = new URL(request.url ?? '', 'http://application');
    response.writeHead(200, html);
    if (url.pathname === '/spa')
      response.end(`<title>spa</title><button onclick="open(location.hash.slice(1), '', 'width=500')">in</button>
        <script>addEventListener('message', (event) => { document.title = event.data })</script>`);
    else response.end("<title>arrived</title><script>opener?.postMessage('signed in', '*')</script>");
  });
}

beforeAll(async () => {
  [provider, application] = await Promise.all([startProvider(), startApplication()]);
  browser = await launchBrowser({ bypassCsp: false });
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([provider?.close(), application?.close()]);
});

interface Journey {
  to: string;
  allow?: string;
}

const signInUrl = ({ to, allow }: Journey) =>
  `${provider.origin}/?${new URLSearchParams({ to, ...(allow ? { allow } : {}) })}`;

/** Signs in. Returns the title of the last page, or the directive of the policy that stopped it. */
async function signIn(journey: Journey): Promise<string> {
  const page = await browser.context.newPage();
  try {
    await page.goto(signInUrl(journey));
    const stopped = page
      .waitForEvent('console', (message) => message.text().includes('Content Security Policy'))
      .then((message) => /"([\w-]+) /.exec(message.text())?.[1] ?? message.text());
    const arrived = page.waitForURL((url) => url.pathname === '/callback').then(() => page.title());
    await page.fill('#email', 'john@example.com');
    await page.fill('#password', 'correct-horse-battery');
    await page.click('button');
    return await Promise.any([stopped, arrived]);
  } finally {
    await page.close();
  }
}

describe('after a form was posted', () => {
  test('the browser goes to a redirect URI that the page names, and to no other', async () => {
    const to = `${application.origin}/callback`;
    expect(await signIn({ to, allow: to })).toBe('arrived');
    expect(await signIn({ to, allow: 'https://another.example/' })).toBe('form-action');
  });

  test('the browser has sent the origin with the form', async () => {
    const to = `${application.origin}/callback`;
    await signIn({ to, allow: to });
    expect(postedOrigin).toBe(provider.origin);
  });
});

test('a popup that signed in can still send messages to the page that opened it', async () => {
  const to = `${application.origin}/callback`;
  const page = await browser.context.newPage();
  await page.goto(`${application.origin}/spa#${signInUrl({ to, allow: to })}`);
  const [popup] = await Promise.all([browser.context.waitForEvent('page'), page.click('button')]);
  await popup.fill('#email', 'john@example.com');
  await popup.fill('#password', 'correct-horse-battery');
  await popup.click('button');
  await page.waitForFunction("document.title === 'signed in'");
  await popup.close();
  await page.close();
});

test('no page can be framed', async () => {
  const page = await browser.context.newPage();
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await page.goto(`${application.origin}/callback`);
  await page.evaluate(
    `document.body.append(Object.assign(document.createElement('iframe'), { src: '${provider.origin}/' }))`,
  );
  await refused;
  await page.close();
});
