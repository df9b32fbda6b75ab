import { describe, expect, test } from '@jest/globals';
import { tokensOf } from '../support/test-client.ts';
import { look } from './look.ts';
import { comeBack, press, submit, type Visitor, visit } from './visitor.ts';
import { newPerson, type Person, type World, whoSignedIn } from './world.ts';

/** Steps after the first sign-in: another person, other tabs, second tries, and signing out. */
export function sessionJourneys(world: () => World): void {
  async function signInFirst({ page }: Visitor, person: Person): Promise<URLSearchParams> {
    await page.goto(world().firstParty.authorizationUrl({ scope: 'openid email' }));
    await submit(page, person);
    return comeBack(page, world().app);
  }

  const logoutUrl = (parameters: Record<string, string> = {}) =>
    `${world().deployment.issuer}/oauth2/logout?${new URLSearchParams(parameters)}`;

  const heading = (page: Visitor['page']) => page.getByRole('heading', { level: 1 }).innerText();

  describe('with a session', () => {
    test.each([true, false])(
      'another person can sign in, and the client gets that person (scripts: %s)',
      async (scripts) => {
        const { firstParty, app } = world();
        const [first, second] = [await newPerson(world()), await newPerson(world())];
        await visit(
          world(),
          async (visitor) => {
            const { page } = visitor;
            await signInFirst(visitor, first);
            await page.goto(firstParty.authorizationUrl({ scope: 'openid email', prompt: 'login' }));
            expect(await page.getByLabel('Email address').inputValue()).toBe(first.email);
            await submit(page, second);
            if (!scripts) await press(page, 'Continue');
            const brought = await comeBack(page, app);
            expect(await whoSignedIn(world(), firstParty, brought.get('code'))).toBe(second.email);
            await page.goto(firstParty.authorizationUrl({ scope: 'openid email' }));
            const again = await comeBack(page, app);
            expect(await whoSignedIn(world(), firstParty, again.get('code'))).toBe(second.email);
          },
          { scripts },
        );
      },
    );

    test('two tabs that ask for consent can both finish', async () => {
      const { web, firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ context, page }) => {
        const other = await context.newPage();
        await page.goto(web.authorizationUrl({ state: 'one' }));
        await other.goto(firstParty.authorizationUrl({ state: 'two' }));
        await submit(page, person);
        await page.getByRole('button', { name: 'Allow' }).waitFor();
        await submit(other, person);
        expect((await comeBack(other, app)).get('state')).toBe('two');
        await press(page, 'Allow');
        const brought = await comeBack(page, app);
        expect([brought.get('state'), brought.has('code')]).toEqual(['one', true]);
      });
    });
  });

  describe('a second try', () => {
    // The speed of the browser decides which of the two responses it follows. The next two tests check each case.
    test('a double click ends at the client or at a page that says what to do', async () => {
      const { firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(firstParty.authorizationUrl({ scope: 'openid email' }));
        await page.getByLabel('Email address').fill(person.email);
        await page.getByLabel('Password').fill(person.password);
        await page.getByRole('button', { name: 'Sign in', exact: true }).dblclick();
        const end = page.getByRole('heading', { name: /^(arrived|This sign-in has expired)$/ });
        if ((await end.innerText()) !== 'arrived') return;
        const brought = await comeBack(page, app);
        expect(await whoSignedIn(world(), firstParty, brought.get('code'))).toBe(person.email);
      });
    });

    test.each([
      ['without a received response signs in', 0],
      ['that was completed leads to a page that says so', 20],
    ])('a second form after a first one %s', async (_what, maxRedirects) => {
      const { firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ context, page }) => {
        await page.goto(firstParty.authorizationUrl());
        const csrf = await page.locator('[name=csrf]').first().inputValue();
        const action = new URL((await page.locator('form').first().getAttribute('action')) ?? '', page.url())
          .href;
        const first = await context.request.post(action, { form: { ...person, csrf }, maxRedirects });
        expect(first.status()).toBe(maxRedirects === 0 ? 303 : 200);
        await submit(page, person);
        if (maxRedirects === 0) {
          expect((await comeBack(page, app)).get('code')).toBeTruthy();
          return;
        }
        expect(await heading(page)).toBe('This sign-in has expired');
        await page.goto(firstParty.authorizationUrl());
        await comeBack(page, app);
      });
    });

    test('going back after the end and reloading shows what to do', async () => {
      const { web, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        await press(page, 'Allow');
        await comeBack(page, app);
        await page.goBack();
        expect(await heading(page)).toBe('This sign-in has expired');
        expect(await page.getByRole('paragraph').first().innerText()).toContain('Go back to Contracts Web');
        await look(page, 'expired');
        await page.reload();
        expect(await heading(page)).toBe('This sign-in has expired');
      });
    });

    test('the address of a refused form shows the form when it is opened again', async () => {
      const { firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(firstParty.authorizationUrl());
        await submit(page, { ...person, password: 'not this one' });
        await page.getByRole('alert').waitFor();
        await page.goto(page.url());
        await submit(page, person);
        expect((await comeBack(page, app)).get('code')).toBeTruthy();
      });
    });
  });

  describe('requests that cannot be answered', () => {
    test('a redirect URI that is not registered shows an error page', async () => {
      await visit(world(), async ({ page }) => {
        await page.goto(world().web.authorizationUrl({ redirect_uri: 'https://evil.example/' }));
        expect(await heading(page)).toBe('Something went wrong');
        expect(await page.getByRole('main').innerText()).toContain('redirect_uri');
        const links = await page.getByRole('link').all();
        const targets = await Promise.all(links.map((link) => link.getAttribute('href')));
        // Only the registered home page of the client.
        expect(targets).toEqual(['https://contracts.example.com/']);
        await look(page, 'bad-redirect-uri');
      });
    });

    test('an unknown address and the start page show a page', async () => {
      const { issuer } = world().deployment;
      await visit(world(), async ({ page }) => {
        await page.goto(`${issuer}/nowhere`);
        expect(await heading(page)).toBe('Page not found');
        await look(page, 'not-found');
        await page.goto(issuer);
        expect(await heading(page)).toBe('Gatehouse is running');
        await look(page, 'home');
      });
    });
  });

  describe('signing out', () => {
    test('that a client requests returns to the client', async () => {
      const { firstParty, web, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        await press(page, 'Allow');
        const code = (await comeBack(page, app)).get('code') ?? '';
        const { id_token: hint = '' } = tokensOf(await web.redeem(code));
        const bye = `${app.origin}/bye`;
        await page.goto(logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye, state: 'left' }));
        expect(await page.getByRole('main').innerText()).toContain(person.email);
        await look(page, 'logout');
        await press(page, 'Sign out');
        await page.waitForURL(`${bye}?state=left`);
        await page.goto(firstParty.authorizationUrl());
        await page.getByLabel('Password').waitFor();
      });
    });

    test('without a client asks: yes ends the session, no keeps it, and each answer is confirmed', async () => {
      const { firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async (visitor) => {
        const { page } = visitor;
        await signInFirst(visitor, person);
        await page.goto(logoutUrl());
        await press(page, 'Stay signed in');
        expect(await heading(page)).toBe('You’re still signed in');
        await look(page, 'still-signed-in');
        await page.goto(firstParty.authorizationUrl());
        expect((await comeBack(page, app)).get('code')).toBeTruthy();
        await page.goto(logoutUrl());
        await press(page, 'Sign out');
        expect(await heading(page)).toBe('You’re signed out');
        await look(page, 'signed-out');
        await page.goto(firstParty.authorizationUrl());
        await page.getByLabel('Password').waitFor();
      });
    });

    test('that a person declines signs out of the requesting client only', async () => {
      const { firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async (visitor) => {
        const { page } = visitor;
        await signInFirst(visitor, person);
        await page.goto(logoutUrl({ client_id: 'own-app' }));
        await press(page, 'Stay signed in');
        expect(await heading(page)).toBe('You’re signed out of Our own app');
        await look(page, 'signed-out-of-client');
        await page.goto(firstParty.authorizationUrl());
        expect((await comeBack(page, app)).get('code')).toBeTruthy();
      });
    });

    test('with an expired form says that the form has expired', async () => {
      const person = await newPerson(world());
      await visit(world(), async (visitor) => {
        const { page, context } = visitor;
        await signInFirst(visitor, person);
        await page.goto(logoutUrl());
        const other = await context.newPage();
        await other.goto(logoutUrl());
        await press(other, 'Sign out');
        await press(page, 'Sign out');
        expect(await heading(page)).toBe('This page is out of date');
        await look(page, 'sign-out-expired');
      });
    });
  });
}
