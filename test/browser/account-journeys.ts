import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { tokensOf } from '../support/test-client.ts';
import { look } from './look.ts';
import { comeBack, press, submit, type Visitor, visit } from './visitor.ts';
import { newPerson, type Person, type World } from './world.ts';

/** The account page: the list of sign-ins, the apps with access, and the change of the password. */
export function accountJourneys(world: () => World): void {
  const open = (page: Page) => page.goto(`${world().deployment.issuer}/account`);
  const heading = (page: Page) => page.getByRole('heading', { level: 1 }).innerText();
  const part = (page: Page, name: string) => page.getByRole('region', { name });
  const rows = (page: Page, name: string) => part(page, name).locator('.rows > li');
  const places = 'Where you’re signed in';
  const apps = 'Apps with access';

  async function signIn({ page }: Visitor, person: Person): Promise<void> {
    await open(page);
    await submit(page, person);
    await page.waitForURL((url) => url.pathname === '/account');
  }

  /** Signs in at the third-party app and agrees. Returns its tokens. */
  async function letIn({ page }: Visitor, scope: string) {
    const { web, app } = world();
    await page.goto(web.authorizationUrl({ scope, prompt: 'consent' }));
    await press(page, 'Allow');
    return tokensOf(await web.redeem((await comeBack(page, app)).get('code') ?? ''));
  }

  describe('the account page', () => {
    test.each([true, false])(
      'shows this browser and signs another browser out (scripts: %s)',
      async (scripts) => {
        const person = await newPerson(world());
        const elsewhere = async (other: Visitor) => {
          await signIn(other, person);
          await visit(world(), (visitor) => atHome(visitor, other), { scripts });
        };
        const atHome = async (visitor: Visitor, other: Visitor) => {
          const { page } = visitor;
          await open(page);
          expect(await page.getByText('to continue to Gatehouse').count()).toBe(1);
          await submit(page, person);
          expect(await heading(page)).toBe('Your account');
          expect(await rows(page, places).count()).toBe(2);
          const here = rows(page, places).first();
          expect(await here.innerText()).toMatch(/Chrome on Linux\s+This browser/);
          expect(await here.locator('time').count()).toBe(2);
          if (scripts) await look(page, 'account');
          await page.getByRole('button', { name: 'End Chrome on Linux' }).click();
          expect(await page.getByRole('status').innerText()).toBe('It is signed out now.');
          expect(await rows(page, places).count()).toBe(1);
          if (scripts) await look(page, 'account-ended');
          await open(other.page);
          expect(await heading(other.page)).toBe('Sign in');
          await page.reload();
          expect(await page.getByRole('status').count()).toBe(0);
        };
        await visit(world(), elsewhere, { scripts });
      },
    );

    test.each([true, false])(
      'withdraws a consent: the tokens of the app end, and the app asks for consent again (scripts: %s)',
      async (scripts) => {
        const { web } = world();
        const person = await newPerson(world());
        await visit(
          world(),
          async (visitor) => {
            const { page } = visitor;
            await signIn(visitor, person);
            expect(await part(page, apps).innerText()).toContain('You have given no app access');
            const tokens = await letIn(visitor, 'openid email offline_access contracts:read');
            await open(page);
            const [row = ''] = await rows(page, apps).allInnerTexts();
            expect(row).toContain('Read your contracts');
            expect(await rows(page, places).count()).toBe(2);
            if (scripts) await look(page, 'account-apps');
            await page.setViewportSize({ width: 320, height: 640 });
            expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
            if (scripts) await look(page, 'account-narrow');
            await page.getByRole('button', { name: 'Withdraw access of Contracts Web' }).click();
            expect(await page.getByRole('status').innerText()).toBe('The app has no access any more.');
            expect(await rows(page, apps).count()).toBe(0);
            expect(await rows(page, places).count()).toBe(1);
            expect((await web.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
            await page.goto(web.authorizationUrl());
            await page.getByRole('button', { name: 'Allow' }).waitFor();
          },
          { scripts },
        );
      },
    );

    test.each([true, false])(
      'changes the password and signs out everywhere (scripts: %s)',
      async (scripts) => {
        const person = await newPerson(world());
        const next = 'a ferry to the islands';
        const fill = async (page: Page, current: string) => {
          const part = page.getByRole('region', { name: 'Password', exact: true });
          await part.getByLabel('Current password').fill(current);
          await page.getByLabel('New password').fill(next);
          await press(page, 'Change password');
        };
        await visit(
          world(),
          async (visitor) => {
            const { page } = visitor;
            await signIn(visitor, person);
            await fill(page, 'not this one');
            expect(await page.locator('#currentPassword-error').innerText()).toContain('isn’t your current');
            expect(await page.locator('[name=currentPassword]:focus').inputValue()).toBe('');
            expect(await page.getByLabel('New password').inputValue()).toBe('');
            if (scripts) await look(page, 'account-password-wrong');
            await fill(page, person.password);
            expect(await heading(page)).toBe('Your password is changed');
            if (scripts) await look(page, 'account-password-changed');
            await page.getByRole('link', { name: 'Sign in again' }).click();
            await submit(page, { ...person, password: next });
            expect(await heading(page)).toBe('Your account');
          },
          { scripts },
        );
      },
    );

    test('signs out here and everywhere', async () => {
      const person = await newPerson(world());
      await visit(world(), async (visitor) => {
        const { page } = visitor;
        await signIn(visitor, person);
        await page.getByRole('button', { name: /^Sign out Chrome/ }).click();
        expect(await heading(page)).toBe('You’re signed out');
        await look(page, 'account-signed-out');
        await page.getByRole('link', { name: 'Sign in again' }).click();
        await submit(page, person);
        await press(page, 'Sign out everywhere');
        expect(await heading(page)).toBe('You’re signed out everywhere');
        await page.goBack();
        expect(await heading(page)).toBe('Sign in');
      });
    });

    test('says that a form has expired, and links back', async () => {
      const person = await newPerson(world());
      await visit(world(), async (visitor) => {
        const { context, page } = visitor;
        await signIn(visitor, person);
        const other = await context.newPage();
        await open(other);
        await other.getByRole('button', { name: /^Sign out Chrome/ }).click();
        await press(page, 'Sign out everywhere');
        expect(await heading(page)).toBe('Your session has ended');
        await look(page, 'account-session-ended');
        await page.getByRole('link', { name: 'Go back' }).click();
        expect(await heading(page)).toBe('Sign in');
      });
    });

    test('reports missing cookies instead of redirecting endlessly', async () => {
      await visit(world(), async ({ page }) => {
        await page.goto(`${world().deployment.issuer}/account/signed-in`);
        expect(await heading(page)).toBe('You’re not signed in');
        await look(page, 'account-not-signed-in');
      });
    });
  });
}
