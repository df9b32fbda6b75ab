import { describe, expect, test } from '@jest/globals';
import { comeBack, press, submit, visit } from './visitor.ts';
import { newPerson, type World, whoSignedIn } from './world.ts';

const blocked = /form-action/;

/** The policies that a browser enforces: targets of forms, attributes of cookies, and framing. */
export function policyJourneys(world: () => World): void {
  describe('a callback that redirects to another origin', () => {
    test('is followed if the callback uses https', async () => {
      const person = await newPerson(world());
      await visit(world(), async ({ page }) => {
        await page.goto(world().secureHopping.authorizationUrl());
        await submit(page, person);
        await press(page, 'Allow');
        await page.waitForURL((url) => url.protocol === 'https:' && url.pathname === '/landed');
        expect(new URL(page.url()).hostname).toBe('127.0.0.1');
      });
    });

    // Only the source `http:` would allow another port, but it would allow a form to any site without TLS. For http, only
    // the callback itself is allowed. An app under development can redirect from its own page.
    test('is not followed if the callback uses http', async () => {
      const person = await newPerson(world());
      await visit(
        world(),
        async ({ page }) => {
          await page.goto(world().hopping.authorizationUrl());
          await submit(page, person);
          const told = page.waitForEvent('console', (message) => blocked.test(message.text()));
          await press(page, 'Allow');
          await told;
        },
        { complaints: [blocked] },
      );
    });
  });

  describe('form_post', () => {
    test.each([true, false])('sends the code in a form (scripts: %s)', async (scripts) => {
      const { web, app } = world();
      const person = await newPerson(world());
      await visit(
        world(),
        async ({ page }) => {
          const state = `posted-${scripts}`;
          await page.goto(web.authorizationUrl({ response_mode: 'form_post', scope: 'openid email', state }));
          await submit(page, person);
          await press(page, 'Allow');
          if (!scripts) await press(page, 'Continue');
          await comeBack(page, app);
          const sent = app.posted.find((fields) => fields.state === state);
          expect(await whoSignedIn(world(), web, sent?.code)).toBe(person.email);
          expect(new URL(page.url()).search).toBe('');
        },
        { scripts },
      );
    });
  });

  describe('cookies', () => {
    test('are HttpOnly, SameSite and signed', async () => {
      const { web, firstParty, app } = world();
      const person = await newPerson(world());
      await visit(world(), async ({ context, page }) => {
        await page.goto(web.authorizationUrl());
        await submit(page, person);
        await page.getByRole('button', { name: 'Allow' }).waitFor();
        const cookies = await context.cookies();
        const kept = ['gatehouse_interaction', 'gatehouse_resume', 'gatehouse_session'];
        expect([...new Set(cookies.map(({ name }) => name))].sort()).toEqual(
          [
            ...kept.flatMap((name) => [name, `${name}.sig`]),
            ...['gatehouse_known', 'gatehouse_signed_in'],
          ].sort(),
        );
        expect(cookies.filter(({ httpOnly, sameSite }) => !httpOnly || sameSite !== 'Lax')).toEqual([]);
        await page.goto(firstParty.authorizationUrl());
        await comeBack(page, app);
        const signature = cookies.find(({ name }) => name === 'gatehouse_session.sig');
        const session = (await context.cookies()).find(({ name }) => name === 'gatehouse_session');
        if (!signature || !session) throw new Error('there is no session');
        await context.addCookies([{ ...signature, value: 'A'.repeat(27) }]);
        await page.goto(firstParty.authorizationUrl());
        await page.getByLabel('Password').waitFor();
      });
    });
  });

  test('no page can be framed, not even by another origin of the same site', async () => {
    const { web, neighbour, deployment } = world();
    const frames = [web.authorizationUrl(), deployment.issuer, `${deployment.issuer}/oauth2/logout`];
    await visit(
      world(),
      async ({ page }) => {
        for (const address of frames) {
          const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
          await page.goto(`${neighbour}/?frame=${encodeURIComponent(address)}`);
          await refused;
          expect(await page.frames()[1]?.getByText('Gatehouse').count()).toBe(0);
        }
      },
      { complaints: [/frame-ancestors/] },
    );
  });
}
