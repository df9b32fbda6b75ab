import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { recoveryCodesOf } from '../support/authenticator.ts';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson } from '../support/sign-in.ts';
import { createTestClient, decodeJwt, type TestClient } from '../support/test-client.ts';
import type { Person } from '../support/user-agent.ts';
import { type CallbackServer, startCallbackServer } from './callback-server.ts';
import { look } from './look.ts';
import {
  addAuthenticator,
  type StoredCredential,
  type VirtualAuthenticator,
} from './virtual-authenticator.ts';
import { comeBack, press, submit } from './visitor.ts';

let deployment: InProcess;
let launched: TestBrowser;
let browser: Browser;
let callback: CallbackServer;
/** An app, and one that requires a second factor. */
let web: TestClient;
let vault: TestClient;

beforeAll(async () => {
  callback = await startCallbackServer({ onward: () => '/' });
  const shared = { auth: 'none', firstParty: true, redirectUris: [callback.callback], scopes: ['openid'] };
  const documents = [
    { ...shared, id: 'web', name: 'Web' },
    { ...shared, id: 'vault', name: 'Vault', requireSecondFactor: true },
  ];
  deployment = await startInProcess(documents, { GATEHOUSE_SIGNUP: 'true' });
  web = createTestClient(deployment, { id: 'web', redirectUri: callback.callback });
  vault = createTestClient(deployment, { id: 'vault', redirectUri: callback.callback });
  launched = await launchBrowser({ bypassCsp: false });
  const found = launched.context.browser();
  if (found === null) throw new Error('the browser is gone');
  browser = found;
}, 180_000);
afterAll(async () => {
  await launched?.close();
  await deployment?.stop();
  await callback?.close();
});

interface Visit {
  page: Page;
  context: BrowserContext;
  device: VirtualAuthenticator;
}

/** Runs work in a new browser profile, and checks that its console stays empty: a broken policy would be there. */
async function visit(
  work: (visit: Visit) => Promise<void>,
  {
    credentials = [],
    inField = true,
    scripts = true,
  }: {
    credentials?: readonly StoredCredential[];
    inField?: boolean;
    scripts?: boolean;
  } = {},
): Promise<void> {
  const context = await browser.newContext({ javaScriptEnabled: scripts });
  // The virtual authenticator answers a request in the field for the address at once, before a button can be pressed.
  if (!inField)
    await context.addInitScript('PublicKeyCredential.isConditionalMediationAvailable = async () => false');
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // A refused form is a response with an error status, which the browser reports.
      if (!/status of 4\d\d/.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    const device = await addAuthenticator(page, { credentials });
    await work({ page, context, device });
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

/** How the person signed in, as the id token says. */
async function amrOf(page: Page, client: TestClient): Promise<unknown> {
  const code = (await comeBack(page, callback)).get('code') ?? '';
  const { body } = await client.redeem(code);
  return decodeJwt(String(body.id_token)).claims.amr;
}

const offered = (page: Page) => page.getByRole('heading', { name: 'Sign in faster next time' });

/** A new person who added a passkey when it was offered. */
async function personWithPasskey(): Promise<{
  person: Person;
  credentials: StoredCredential[];
  codes: string[];
}> {
  const person = await newPerson(deployment);
  let credentials: StoredCredential[] = [];
  let codes: string[] = [];
  await visit(async ({ page, device }) => {
    await page.goto(web.authorizationUrl());
    await submit(page, person);
    await offered(page).waitFor();
    await press(page, 'Add a passkey');
    await page.getByRole('heading', { name: /recovery codes/i }).waitFor();
    codes = recoveryCodesOf({ html: await page.content() });
    await page.getByRole('button').click();
    await comeBack(page, callback);
    credentials = await device.credentials();
  });
  return { person, credentials, codes };
}

describe('adding a passkey', () => {
  test('is offered after a sign-in, and can be put off: then this browser is not asked again', async () => {
    const person = await newPerson(deployment);
    await visit(async ({ page, context }) => {
      await page.goto(web.authorizationUrl());
      await submit(page, person);
      await offered(page).waitFor();
      await look(page, 'add-passkey');
      await press(page, 'Not now');
      expect(await amrOf(page, web)).toEqual(['pwd']);
      await page.goto(web.authorizationUrl({ prompt: 'login' }));
      await submit(page, person);
      expect(await amrOf(page, web)).toEqual(['pwd']);
      expect((await context.cookies()).map(({ name }) => name)).toContain('gatehouse_passkey_asked');
    });
  });

  test('makes a discoverable passkey with a random user handle, and recovery codes', async () => {
    const { person, credentials, codes } = await personWithPasskey();
    expect(codes).toHaveLength(10);
    const account = await deployment.ports.accounts.findByEmail(person.email);
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }]);
    const handle = Buffer.from(credentials[0]?.userHandle ?? '', 'base64').toString('base64url');
    expect(handle).toBe(await deployment.ports.passkeys.userHandle(account?.id ?? ''));
    expect(await deployment.ports.passkeys.list(account?.id ?? '')).toMatchObject([
      { name: 'Chrome on Linux' },
    ]);
  });

  test('that fails does not stop the sign-in', async () => {
    const person = await newPerson(deployment);
    await visit(async ({ page, device }) => {
      await device.setVerified(false);
      await page.goto(web.authorizationUrl());
      await submit(page, person);
      await offered(page).waitFor();
      await press(page, 'Add a passkey');
      await page.getByText('No passkey was used').waitFor();
      await press(page, 'Not now');
      expect(await amrOf(page, web)).toEqual(['pwd']);
    });
  });

  test('is not offered where the device can make none', async () => {
    const person = await newPerson(deployment);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(web.authorizationUrl());
    await submit(page, person);
    expect(await amrOf(page, web)).toEqual(['pwd']);
    await context.close();
  });
});

describe('signing in with a passkey', () => {
  test('needs no password and no address, and reaches the higher level', async () => {
    const { credentials } = await personWithPasskey();
    await visit(
      async ({ page }) => {
        await page.goto(vault.authorizationUrl());
        await look(page, 'sign-in-passkey');
        await press(page, 'Sign in with a passkey');
        expect(await amrOf(page, vault)).toEqual(['hwk', 'user', 'mfa']);
      },
      { credentials, inField: false },
    );
  });

  test('works from the field for the address', async () => {
    const { credentials } = await personWithPasskey();
    await visit(
      async ({ page }) => {
        await page.goto(web.authorizationUrl());
        expect(await amrOf(page, web)).toEqual(['hwk', 'user', 'mfa']);
      },
      { credentials },
    );
  });

  test('as another person than the one who is signed in changes the account', async () => {
    const { person } = await personWithPasskey();
    const other = await personWithPasskey();
    expect(other.person.email).not.toBe(person.email);
    const stranger = await newPerson(deployment);
    await visit(
      async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, stranger);
        await press(page, 'Not now');
        await comeBack(page, callback);
        await page.goto(web.authorizationUrl({ prompt: 'login', scope: 'openid' }));
        await press(page, 'Sign in with a passkey');
        const code = (await comeBack(page, callback)).get('code') ?? '';
        const { body } = await web.redeem(code);
        const account = await deployment.ports.accounts.findByEmail(other.person.email);
        expect(decodeJwt(String(body.id_token)).claims.sub).toBe(account?.id);
      },
      { credentials: other.credentials, inField: false },
    );
  });

  test('that is cancelled says so, and the password still works', async () => {
    const person = await newPerson(deployment);
    await visit(async ({ page }) => {
      await page.goto(web.authorizationUrl());
      // The device has no passkey of this site.
      await press(page, 'Sign in with a passkey');
      await page.getByText('No passkey was used').waitFor();
      await submit(page, person);
      await press(page, 'Not now');
      expect(await amrOf(page, web)).toEqual(['pwd']);
    });
  });

  test('with a copy whose counter is behind is refused', async () => {
    const { credentials } = await personWithPasskey();
    await visit(
      async ({ page }) => {
        const answered = page.waitForResponse((response) => /\/passkey\?/.test(response.url()));
        await page.goto(web.authorizationUrl());
        // The body can't be read later: the virtual authenticator answers the next page at once.
        expect((await answered).status()).toBe(400);
      },
      { credentials: credentials.map((one) => ({ ...one, signCount: 0 })) },
    );
  });

  test('with an answer that was used before is refused', async () => {
    const { credentials } = await personWithPasskey();
    await visit(
      async ({ page, context }) => {
        const sent: { url: string; body: string }[] = [];
        page.on('request', (request) => {
          if (request.method() === 'POST' && /\/passkey\?/.test(request.url()))
            sent.push({ url: request.url(), body: request.postData() ?? '' });
        });
        await page.goto(web.authorizationUrl());
        await comeBack(page, callback);
        const [first] = sent;
        if (first === undefined) throw new Error('nothing was sent');
        const answer = await context.request.post(first.url, {
          data: first.body,
          headers: { 'content-type': 'application/x-www-form-urlencoded', origin: deployment.issuer },
          maxRedirects: 0,
        });
        expect(answer.status()).toBe(400);
      },
      { credentials },
    );
  });
});

describe('the account page', () => {
  test('adds, renames and removes passkeys, and each needs a fresh sign-in', async () => {
    const person = await newPerson(deployment);
    await visit(async ({ page, device }) => {
      await page.goto(`${deployment.issuer}/account`);
      await submit(page, person);
      await press(page, 'Not now');
      await page.getByRole('heading', { name: 'Your account' }).waitFor();
      await press(page, 'Add a passkey');
      await page.getByRole('heading', { name: /recovery codes/i }).waitFor();
      await page.getByRole('link', { name: /I have kept|continue/i }).click();
      // The session began without a second factor, and the account has one now.
      await page.getByRole('link', { name: 'Sign in again to change passkeys' }).click();
      // Only the second factor is missing.
      await press(page, 'Use a passkey');
      await page.getByText('You signed in again').waitFor();
      await page.getByText('Change Chrome on Linux').click();
      await look(page, 'account-passkeys');
      await page.getByLabel('Name').fill('Work laptop');
      await press(page, 'Rename');
      await page.getByText('The passkey has a new name').waitFor();
      await page.getByText('Change Work laptop').click();
      await press(page, 'Remove the passkey Work laptop');
      await page.getByText('The passkey is removed').waitFor();
      const account = await deployment.ports.accounts.findByEmail(person.email);
      expect(await deployment.ports.passkeys.list(account?.id ?? '')).toEqual([]);
      expect(account?.hasSecondFactor).toBeFalsy();
      expect(await device.credentials()).toHaveLength(1);
    });
  });
});

describe('a passkey as second factor', () => {
  test('is asked for after the password', async () => {
    const { person, credentials } = await personWithPasskey();
    await visit(
      async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        await page.getByRole('heading', { name: 'Use your passkey' }).waitFor();
        await look(page, 'second-factor-passkey');
        await press(page, 'Use a passkey');
        expect(await amrOf(page, web)).toEqual(['pwd', 'hwk', 'user', 'mfa']);
      },
      { credentials, inField: false },
    );
  });

  test('can be added where an app requires a second factor', async () => {
    const person = await newPerson(deployment);
    await visit(async ({ page }) => {
      await page.goto(vault.authorizationUrl());
      await submit(page, person);
      await press(page, 'Use a passkey instead');
      await page.getByRole('heading', { name: /recovery codes/i }).waitFor();
      await page.getByRole('button').click();
      expect(await amrOf(page, vault)).toEqual(['pwd', 'hwk', 'user', 'mfa']);
    });
  });

  test('is replaced by a recovery code where scripts are off', async () => {
    const { person, codes } = await personWithPasskey();
    await visit(
      async ({ page }) => {
        await page.goto(web.authorizationUrl());
        expect(await page.getByRole('button').allInnerTexts()).not.toContain('Sign in with a passkey');
        await submit(page, person);
        await page.getByText('scripts are switched off').waitFor();
        await page.getByText('Use a recovery code instead').click();
        await page.getByLabel('Recovery code').fill(codes[0] ?? '');
        await press(page, 'Continue');
        expect(await amrOf(page, web)).toEqual(['pwd', 'otp', 'mfa']);
      },
      { scripts: false },
    );
  });
});

test('a password can be shown where scripts run, and is masked again when it is sent', async () => {
  const person = await newPerson(deployment);
  await visit(async ({ page }) => {
    await page.goto(web.authorizationUrl());
    const field = page.getByLabel('Password');
    const button = page.getByRole('button', { name: 'Show password' });
    await field.fill(person.password);
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    await button.click();
    expect([await field.getAttribute('type'), await button.getAttribute('aria-pressed')]).toEqual([
      'text',
      'true',
    ]);
    await look(page, 'sign-in-password-shown');
    await page.evaluate("document.forms[0].addEventListener('submit', (event) => event.preventDefault())");
    await page.getByLabel('Email address').fill(person.email);
    await press(page, 'Sign in');
    expect(await field.getAttribute('type')).toBe('password');
  });
  await visit(
    async ({ page }) => {
      await page.goto(web.authorizationUrl());
      expect(await page.getByRole('button').allInnerTexts()).toEqual(['Sign in', 'Cancel']);
    },
    { scripts: false },
  );
});
