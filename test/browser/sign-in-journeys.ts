import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { look } from './look.ts';
import { comeBack, press, submit, visit } from './visitor.ts';
import { newPerson, register, type World, whoSignedIn } from './world.ts';

const scope = 'openid email contracts:read';
const good = 'a walk along the river';

/** Sign-in, consent or denial, and the return to the client. */
export function signInJourneys(world: () => World): void {
  describe('signing in', () => {
    test.each([true, false])(
      'with consent returns to the client with a code (scripts: %s)',
      async (scripts) => {
        const { web, app } = world();
        const person = await newPerson(world());
        await visit(
          world(),
          async ({ page }) => {
            await page.goto(web.authorizationUrl({ scope }));
            if (scripts) await look(page, 'sign-in');
            await submit(page, person);
            await page.getByRole('heading', { name: 'Allow Contracts Web to use your account?' }).waitFor();
            expect(await page.getByRole('listitem').allInnerTexts()).toEqual(
              expect.arrayContaining(['See your email address', 'Read your contracts']),
            );
            if (scripts) await look(page, 'consent');
            await press(page, 'Allow');
            const brought = await comeBack(page, app);
            expect(brought.get('state')).toBe('a-state');
            expect(await whoSignedIn(world(), web, brought.get('code'))).toBe(person.email);
          },
          { scripts },
        );
      },
    );

    test.each([true, false])(
      'with a wrong password shows the error at the form, which keeps the address (scripts: %s)',
      async (scripts) => {
        const { firstParty, app } = world();
        const person = await newPerson(world());
        await visit(
          world(),
          async ({ page }) => {
            await page.goto(firstParty.authorizationUrl());
            await submit(page, { ...person, password: 'not this one' });
            const alert = page.locator('form').getByRole('alert');
            expect(await alert.innerText()).toBe(
              'Email address or password is wrong. Check both and try again.',
            );
            expect(await page.title()).toBe('Error: Sign in – Gatehouse');
            expect(await page.getByLabel('Email address').inputValue()).toBe(person.email);
            expect(await page.getByLabel('Password').inputValue()).toBe('');
            const focused = page.locator('[name=password]:focus');
            expect(await focused.getAttribute('aria-describedby')).toBe(await alert.getAttribute('id'));
            if (scripts) await look(page, 'sign-in-wrong');
            await page.keyboard.type(person.password);
            await page.keyboard.press('Enter');
            expect((await comeBack(page, app)).get('code')).toBeTruthy();
          },
          { scripts },
        );
      },
    );

    test.each([
      ['gerda@bücher.example', 'Gerda@BÜCHER.example.'],
      ['gerda@faß.example', 'gerda@faß.example'],
      ['жанна@пример.рф', 'жанна@пример.рф'],
      ['gerda@xn--mnchen-3ya.example', 'gerda@münchen.example'],
      ['gerda@ｅxample.org', 'gerda@example.org'],
    ])('an account that the API made for %s signs in as %s', async (email, typed) => {
      const { firstParty, app, deployment } = world();
      await register(deployment, { email, password: good });
      await visit(world(), async ({ page }) => {
        await page.goto(firstParty.authorizationUrl({ scope: 'openid email' }));
        await submit(page, { email: typed, password: good });
        const brought = await comeBack(page, app);
        expect(await whoSignedIn(world(), firstParty, brought.get('code'))).toBe(email);
      });
    });

    test('works with the keyboard only', async () => {
      const { web, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        const { keyboard } = page;
        await page.goto(web.authorizationUrl({ scope: 'openid email' }));
        await page.locator('[name=email]:focus').waitFor();
        await keyboard.type(person.email);
        await keyboard.press('Tab');
        await keyboard.type(person.password);
        await keyboard.press('Tab');
        expect(await page.locator(':focus').innerText()).toBe('Show password');
        await keyboard.press('Tab');
        await keyboard.press('Space');
        expect(await page.getByLabel('Keep me signed in').isChecked()).toBe(true);
        await keyboard.press('Tab');
        expect(await page.locator(':focus').innerText()).toBe('Sign in');
        await keyboard.press('Enter');
        await page.getByRole('button', { name: 'Allow' }).waitFor();
        const focused = page.locator('button[value=allow]:focus');
        for (let tabs = 0; tabs < 5 && (await focused.count()) === 0; tabs += 1) await keyboard.press('Tab');
        await keyboard.press('Enter');
        expect(await whoSignedIn(world(), web, (await comeBack(page, app)).get('code'))).toBe(person.email);
      });
    });

    test('with denied consent returns an error to the client', async () => {
      const { web, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        await press(page, 'Deny');
        const brought = await comeBack(page, app);
        expect(brought.get('error')).toBe('access_denied');
        expect(brought.get('state')).toBe('a-state');
        expect(brought.has('code')).toBe(false);
      });
    });

    test.each([true, false])(
      'a person cancels before the password: the client gets access_denied (scripts: %s)',
      async (scripts) => {
        const { web, app } = world();
        await visit(
          world(),
          async ({ page }) => {
            await page.goto(web.authorizationUrl());
            const kept = page.url();
            await press(page, 'Cancel');
            const brought = await comeBack(page, app);
            expect(brought.get('error')).toBe('access_denied');
            expect(brought.get('state')).toBe('a-state');
            await page.goto(kept);
            await page.getByRole('heading', { name: 'This sign-in has expired' }).waitFor();
            await page.getByText('Go back to Contracts Web and sign in again.').waitFor();
            const link = page.getByRole('link', { name: 'Go to Contracts Web' });
            expect(await link.getAttribute('href')).toBe('https://contracts.example.com/');
            if (scripts) await look(page, 'expired');
          },
          { scripts },
        );
      },
    );

    test('does not ask for a stored consent again, in this or another browser, unless the client requests more', async () => {
      const { web, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        await press(page, 'Allow');
        await comeBack(page, app);
        await page.goto(web.authorizationUrl({ state: 'again' }));
        expect((await comeBack(page, app)).get('state')).toBe('again');
      });
      await visit(world(), async ({ page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        expect((await comeBack(page, app)).get('code')).toBeTruthy();
        await page.goto(web.authorizationUrl({ scope }));
        await page.getByRole('button', { name: 'Allow' }).waitFor();
      });
    });
  });

  describe('signing up', () => {
    test('starts at the sign-in page and continues with consent', async () => {
      const { web, app } = world();
      const person = { email: 'new.here@example.com', password: good };
      await visit(world(), async ({ page }) => {
        await page.goto(web.authorizationUrl({ scope }));
        await page.getByRole('link', { name: 'Create an account' }).click();
        await page.getByRole('heading', { name: 'Create your account' }).waitFor();
        await look(page, 'sign-up');
        await submit(page, { ...person, password: 'passwordpassword' }, 'Create account');
        expect(await page.locator('#password-error').innerText()).toContain('easy to guess');
        expect(await page.getByLabel('Email address').inputValue()).toBe(person.email);
        await look(page, 'sign-up-refused');
        await submit(page, person, 'Create account');
        await press(page, 'Allow');
        expect(await whoSignedIn(world(), web, (await comeBack(page, app)).get('code'))).toBe(person.email);
      });
    });

    test('keeps an international address as it was typed, and finds it in ASCII', async () => {
      const { firstParty, app } = world();
      const person = { email: 'Émile@Straße.example', password: good };
      const signedIn = async (page: Page) =>
        whoSignedIn(world(), firstParty, (await comeBack(page, app)).get('code'));
      await visit(world(), async ({ page }) => {
        await page.goto(firstParty.authorizationUrl({ scope: 'openid email' }));
        await page.getByRole('link', { name: 'Create an account' }).click();
        await submit(page, person, 'Create account');
        expect(await signedIn(page)).toBe(person.email);
      });
      await visit(world(), async ({ page }) => {
        await page.goto(firstParty.authorizationUrl({ scope: 'openid email' }));
        await submit(page, { ...person, email: 'émile@xn--strae-oqa.example' });
        expect(await signedIn(page)).toBe(person.email);
      });
    });

    test('shows each error at its field, also if the browser does not validate', async () => {
      const email = 'john.doe@example.com';
      const cases: [email: string, password: string, field: string, message: string][] = [
        ['', good, 'email', 'Enter your email address.'],
        ['john', good, 'email', 'Enter an email address like name@example.com.'],
        [email, '', 'password', 'Enter your password.'],
        [email, 'short', 'password', 'Use at least 15 characters.'],
        [email, good.repeat(20), 'password', 'Use at most 256 characters.'],
        [email, email, 'password', 'This password is easy to guess. Choose another one.'],
      ];
      await visit(world(), async ({ page }) => {
        await page.goto(world().firstParty.authorizationUrl());
        await page.getByRole('link', { name: 'Create an account' }).click();
        for (const [address, password, field, message] of cases) {
          await page.evaluate('document.forms[0].noValidate = true');
          await submit(page, { email: address, password }, 'Create account');
          await page.getByText(message, { exact: true }).waitFor();
          expect(await page.locator(`#${field}-error`).innerText()).toBe(message);
          expect(await page.locator('[aria-invalid]').getAttribute('name')).toBe(field);
        }
      });
    });

    test('with the address of an account asks for its password', async () => {
      const { firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(firstParty.authorizationUrl());
        await page.getByRole('link', { name: 'Create an account' }).click();
        await submit(page, { ...person, password: 'another one altogether' }, 'Create account');
        expect(await page.getByRole('alert').innerText()).toContain('may have one already');
        await look(page, 'sign-up-known');
        await submit(page, person);
        expect((await comeBack(page, app)).get('code')).toBeTruthy();
      });
    });
  });
}
