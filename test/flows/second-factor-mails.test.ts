import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openMail } from '../../provider/lib/mail-content.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { runCommand } from '../cli/session-commands.ts';
import { type Authenticator, personWithFactor } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { testServerSecret } from '../support/secrets.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { createUserAgent, type Page, type Person } from '../support/user-agent.ts';
import { formOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

let deployment: InProcess;
let person: Person;
let app: Authenticator;
let recoveryCodes: string[];

beforeAll(async () => {
  deployment = await startInProcess([appDocument('web', { firstParty: true })], {
    GATEHOUSE_SIGNUP: 'true',
    // No process sends mails here: they stay in their table, and the test reads them there.
    GATEHOUSE_JOBS: 'worker',
    GATEHOUSE_MAIL: 'smtp://localhost:1',
    GATEHOUSE_MAIL_FROM: 'Example Login <login@example.com>',
  });
}, 120_000);
afterAll(() => deployment?.stop());
beforeEach(async () => {
  await mails();
  person = await newPerson(deployment);
  ({ app, recoveryCodes } = await personWithFactor(deployment, person));
  deployment.advance(60);
});

const keys = createServerKeys([testServerSecret]);

/** The mails since the last call. */
async function mails() {
  const claimed = await deployment.ports.mails.claim(100, Date.now(), 1000);
  await Promise.all(claimed.map(({ id }) => deployment.ports.mails.remove(id)));
  return claimed.map(({ id, kind, content }) => {
    const { to, language, model } = openMail(keys, id, content);
    return { kind, to, language, model };
  });
}

const mail = (kind: string, more: object = {}, language = { language: 'en' } as { language?: string }) => ({
  kind,
  to: person.email,
  ...language,
  model: { email: person.email, at: expect.any(Number), ...more },
});

const german: InProcess['fetch'] = (url, init) =>
  deployment.fetch(url, { ...init, headers: { ...init?.headers, 'accept-language': 'de' } });

/** The account page of the person, signed in with the code. */
async function account(fetch = deployment.fetch) {
  const agent = createUserAgent({ issuer: deployment.issuer, fetch });
  const page = await agent.submit(await openAccount(deployment, agent, person), { code: app.code() });
  const change = (from: Page, action: string, password = person.password) =>
    agent.submit(formOf(from, 'second-factor'), { factorPassword: password, action });
  return { page, change };
}

test('an added app causes a mail, in the language of the page, and a sign-in with its code causes none', async () => {
  expect(await mails()).toEqual([mail('second-factor-added')]);
  await account();
  expect(await mails()).toEqual([]);
});

test('new recovery codes and a removed app cause mails, a refused change causes none', async () => {
  await mails();
  const { page, change } = await account(german);
  await change(page, 'remove', 'not the password');
  expect(await mails()).toEqual([]);
  await change(page, 'codes');
  expect(await mails()).toEqual([mail('recovery-codes-replaced', {}, { language: 'de' })]);
  await change(page, 'remove');
  expect(await mails()).toEqual([mail('second-factor-removed', {}, { language: 'de' })]);
});

test('a sign-in with a recovery code causes a mail with the number of codes that are left', async () => {
  await mails();
  const agent = createUserAgent(deployment);
  const url = createApp(deployment, 'web').authorizationUrl();
  const asked = await agent.submit(await agent.get(url), { ...person });
  const end = await agent.submit(asked, { recoveryCode: recoveryCodes[0] ?? '' });
  expect(end.url).toContain('code=');
  expect(await mails()).toEqual([mail('recovery-code-used', { left: 9 })]);
});

test('a reset by an operator causes a mail that names the operator as the cause', async () => {
  await mails();
  const { code } = await runCommand(deployment, ['accounts', 'reset-factors', person.email]);
  expect(code).toBe(0);
  expect(await mails()).toEqual([mail('second-factor-removed', { byOperator: true }, {})]);
});
