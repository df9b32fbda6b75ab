import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { type FleetDeployment, startEmbedded } from '../support/deployment.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { formOf, headingOf } from './account-pages.ts';

jest.setTimeout(120_000);

let deployment: FleetDeployment | undefined;
afterEach(async () => {
  await deployment?.stop();
  deployment = undefined;
});

const outputOf =
  ({ programs }: FleetDeployment) =>
  () =>
    programs.map((program) => program.output()).join('');

async function changePassword(started: FleetDeployment) {
  const person = await newPerson(started);
  const agent = createUserAgent(started);
  const page = await openAccount(started, agent, person);
  const newPassword = 'a longer walk along the river';
  const done = await agent.submit(formOf(page, 'password'), {
    currentPassword: person.password,
    newPassword,
  });
  expect(headingOf(done)).toBe('Your password is changed');
  return person;
}

test('gatehouse dev writes a mail into its folder and shows it with the link', async () => {
  deployment = await startEmbedded();
  const { folder: base, issuer } = deployment;
  const output = outputOf(deployment);
  const person = await changePassword(deployment);
  const folder = join(base, '.gatehouse', 'mails');
  await waitFor(() => output().includes('As a page: '), { timeoutMs: 30_000, what: 'a mail in the output' });
  const files = await readdir(folder);
  expect(files.map((name) => name.replace(/^.*\./, '')).sort()).toEqual(['html', 'txt']);
  for (const name of files) expect(await readFile(join(folder, name), 'utf8')).toContain(`${issuer}/account`);
  expect(output()).toContain(`To: ${person.email}`);
  expect(output()).toContain(`Open your account: ${issuer}/account`);
});

test('with GATEHOUSE_MAIL=off no mail is made', async () => {
  deployment = await startEmbedded({ env: { GATEHOUSE_MAIL: 'off' } });
  await changePassword(deployment);
  const { folder } = deployment;
  const output = outputOf(deployment);
  await waitFor(() => output().includes('user.password_changed'), { timeoutMs: 30_000 });
  expect(existsSync(join(folder, '.gatehouse', 'mails'))).toBe(false);
  expect(output()).not.toMatch(/Mail \(|mail sent/);
});
