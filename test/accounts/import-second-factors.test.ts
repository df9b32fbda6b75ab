import { expect, test } from '@jest/globals';
import { exportAccounts, exportedTotp } from '../../provider/accounts/import/export-accounts.ts';
import { authenticatorFor } from '../support/authenticator.ts';
import { addJohn, from, john } from './account-world.ts';
import { createImportWorld } from './import-world.ts';

type ImportWorld = ReturnType<typeof createImportWorld>;

/** An installation with an account that has an app. */
async function withApp() {
  const world = createImportWorld();
  const account = await addJohn(world);
  const { secret, sealed } = await world.factors.offer(account, 'here');
  const app = authenticatorFor(secret, () => world.clock.now());
  const offered = { sealed, code: app.code(), place: { accountId: account.id, boundTo: 'here' } };
  await world.unitOfWork.run((stores) => world.factors.add(stores, account, offered));
  return { world, account, app, secret };
}

/** Another installation, with a server secret of its own. */
function elsewhere(secret = 'another server secret'): ImportWorld {
  const world = createImportWorld();
  world.keys.replace([secret]);
  return world;
}

async function linesOf(world: ImportWorld, secrets: 'sealed' | 'clear'): Promise<string[]> {
  const secondFactors = {
    find: (id: string) => world.unitOfWork.run((stores) => stores.secondFactors.find(id)),
  };
  const totp = exportedTotp(secondFactors, secrets, world.keys);
  const lines: string[] = [];
  for await (const line of exportAccounts({ accounts: world.store, totp })) lines.push(line);
  return lines;
}

const signIn = (world: ImportWorld, code?: string) =>
  world.signIn({ ...john, ...from, ...(code === undefined ? {} : { code }) });

test('after an export in clear and an import elsewhere, the app of the person still works, and a used code does not', async () => {
  const { world, app, secret } = await withApp();
  const lines = await linesOf(world, 'clear');
  expect(lines.join('')).toContain(secret);
  const other = elsewhere();
  expect((await other.import(lines)).summary).toMatchObject({ imported: 1, failed: 0 });
  await expect(signIn(other)).rejects.toMatchObject({ code: 'second_factor_required' });
  // This code confirmed the app in the first installation.
  await expect(signIn(other, app.code())).rejects.toMatchObject({ code: 'invalid_second_factor' });
  world.clock.advance(60_000);
  other.clock.advance(60_000);
  expect((await signIn(other, app.code())).methods.amr).toEqual(['pwd', 'otp', 'mfa']);
  expect((await other.import(lines)).summary).toMatchObject({ unchanged: 1, failed: 0 });
});

test('a sealed secret can be imported only where the same server secret is', async () => {
  const { world, app, secret } = await withApp();
  const lines = await linesOf(world, 'sealed');
  expect(lines.join('')).not.toContain(secret);
  const other = elsewhere();
  const { summary, problems } = await other.import(lines);
  expect(summary).toMatchObject({ imported: 0, failed: 1 });
  expect(problems).toEqual([
    { line: 1, field: '/totp/sealed', message: expect.stringContaining('GATEHOUSE_SERVER_SECRETS') },
  ]);
  expect(await other.store.findByEmail(john.email)).toBeUndefined();
  const same = elsewhere('secret');
  expect((await same.import(lines)).summary).toMatchObject({ imported: 1 });
  world.clock.advance(60_000);
  same.clock.advance(60_000);
  expect((await signIn(same, app.code())).id).toBeTruthy();
});

test('an export without the option has no secret, and an update gives an account the app of its line', async () => {
  const { world, secret } = await withApp();
  expect(await world.export()).not.toMatch(/totp|sealed/);
  const other = createImportWorld();
  const { id, email } = await addJohn(other);
  const line = { email, totp: { secret } };
  const refused = await other.import([line]);
  expect(refused.problems).toEqual([
    { line: 1, field: '/totp', message: expect.stringContaining('already') },
  ]);
  await expect(signIn(other)).resolves.toMatchObject({ id });
  await other.events();
  expect((await other.import([line], { update: true })).summary).toMatchObject({ updated: 1 });
  expect((await other.events()).map(({ type }) => type)).toEqual(['user.second_factor_added']);
  await expect(signIn(other)).rejects.toMatchObject({ code: 'second_factor_required' });
});

test.each([
  [{ secret: 'JBSWY3DPEHPK3PXP' }],
  [{ secret: 'not base32!' }],
  [{ secret: 'A'.repeat(105) }],
  [{ sealed: '' }],
  [{ secret: 'A'.repeat(32), digits: 8 }],
  ['AAAA'],
])('the app %j is refused, and the message does not repeat it', async (totp) => {
  const { problems } = await createImportWorld().import([{ email: 'a@example.com', totp }]);
  expect(problems[0]?.field).toMatch(/^\/totp/);
  expect(JSON.stringify(problems)).not.toMatch(/JBSWY3|not base32!|A{30}/);
});
