import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { beginAt, pollFor } from '../flows/devices.ts';
import { tokensOf } from '../support/test-client.ts';
import { look } from './look.ts';
import { press, submit, visit } from './visitor.ts';
import { newPerson, type World } from './world.ts';

const scope = 'openid email contracts:read';
const heading = (page: Page) => page.getByRole('heading', { level: 1 }).innerText();

/** The device flow: a person enters the code that the device shows. */
export function deviceJourneys(world: () => World): void {
  describe('the device flow', () => {
    test.each([true, false])(
      'ends with tokens: code, confirmation, sign-in, consent (scripts: %s)',
      async (scripts) => {
        const { tv, deployment } = world();
        const person = await newPerson(world());
        const { device_code, user_code } = await beginAt(tv, scope);
        await visit(
          world(),
          async ({ page }) => {
            await page.goto(`${deployment.issuer}/device`);
            if (scripts) await look(page, 'device');
            await page.locator('[name=user_code]:focus').waitFor();
            await page.keyboard.type('wdjb mjhx');
            await page.keyboard.press('Enter');
            const wrong = page.locator('#user_code-error');
            expect(await wrong.innerText()).toBe(
              'There is no such code, or it has expired. Check what the device shows and try again.',
            );
            expect(await page.title()).toBe('Error: Let a device sign in – Gatehouse');
            expect(await page.getByLabel('Code on the device').inputValue()).toBe('wdjb mjhx');
            if (scripts) await look(page, 'device-wrong');
            await page.getByLabel('Code on the device').fill(user_code.toLowerCase());
            await press(page, 'Continue');
            expect(await heading(page)).toBe('Let Contracts TV on a device use your account?');
            expect(await page.locator('p.user-code').innerText()).toBe(user_code);
            if (scripts) await look(page, 'device-confirm');
            await press(page, 'It’s my device');
            await submit(page, person);
            await page.getByRole('heading', { name: 'Allow Contracts TV to use your account?' }).waitFor();
            await press(page, 'Allow');
            expect(await heading(page)).toBe('Your device is signed in');
            if (scripts) await look(page, 'device-done');
            const { access_token } = tokensOf(await pollFor(tv, device_code));
            expect(access_token).toBeTruthy();
          },
          { scripts },
        );
      },
    );

    test.each([true, false])(
      'ends with a denial after the person opens the complete URI (scripts: %s)',
      async (scripts) => {
        const { tv } = world();
        const { device_code, user_code, verification_uri_complete } = await beginAt(tv, scope);
        await visit(
          world(),
          async ({ page }) => {
            await page.goto(verification_uri_complete);
            expect(await page.getByLabel('Code on the device').inputValue()).toBe(user_code);
            await press(page, 'Continue');
            await press(page, 'Deny');
            expect(await heading(page)).toBe('The device isn’t signed in');
            if (scripts) await look(page, 'device-denied');
            expect((await pollFor(tv, device_code)).body.error).toBe('access_denied');
          },
          { scripts },
        );
      },
    );
  });
}
