import { launchBrowser } from '../support/chromium.ts';
import type { Person } from '../support/user-agent.ts';
import { type App, authorization, type Tokens } from './outside.ts';
import { say } from './tools.ts';

/** Signs a person in with a real browser, over TLS, and redeems the code. */
export async function signInWithBrowser(app: App, { email, password }: Person): Promise<Tokens> {
  const { context, close } = await launchBrowser({ bypassCsp: false, ignoreHTTPSErrors: true });
  try {
    const page = await context.newPage();
    const { url, redeem } = authorization(app);
    await page.goto(url);
    say(`   the browser sees: ${await page.title()}`);
    await page.getByLabel('Email address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL((address) => address.href.startsWith(app.redirectUri));
    say(`   it ends at: ${page.url().replace(/code=[^&]*/, 'code=…')}`);
    return await redeem(new URL(page.url()).searchParams.get('code') ?? '');
  } finally {
    await close();
  }
}
