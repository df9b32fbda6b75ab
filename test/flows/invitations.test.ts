import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import { documentOf, runCommand } from '../cli/session-commands.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi, getProfile } from '../support/json-api.ts';
import { linkIn, newestMail } from '../support/mail-links.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { codeOf, headingOf, wrongOf } from './account-pages.ts';
import { appDocument } from './apps.ts';

jest.setTimeout(240_000);

let mailServer: MailServer;
let deployment: FleetDeployment;
let email: string;
const password = 'a quiet evening in';

beforeAll(async () => {
  mailServer = await startMailServer();
  deployment = await startServers({
    clients: [
      appDocument('web', { firstParty: true, clientUri: 'https://contracts.example.com' }),
      appDocument('api', { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'] }),
    ],
    env: {
      GATEHOUSE_SIGNUP: 'true',
      GATEHOUSE_SIGNUP_VERIFICATION: '7d',
      GATEHOUSE_DEFAULT_CLIENT: 'api',
      GATEHOUSE_LANGUAGES: 'en,de',
      ...mailServer.settings,
    },
  });
});
afterAll(async () => {
  await deployment?.stop();
  await mailServer?.close();
});
beforeEach(() => {
  email = `${newId('guest').toLowerCase()}@example.com`;
});

interface Invited {
  id: string;
  isNew: boolean;
  roles: string[];
  hasPassword: boolean;
  emailVerified: boolean;
}

const invite = (...args: string[]) => runCommand(deployment, ['accounts', 'invite', email, ...args]);
const invited = async (...args: string[]) => documentOf<Invited>(await invite(...args, '--json'));
const show = async () =>
  documentOf<Invited>(await runCommand(deployment, ['accounts', 'show', email, '--json']));
const mailed = (count = 1) => newestMail(mailServer, email, count);
const login = (typed = { email, password }) => callJsonApi(deployment, '/auth/login', typed);

test('an invited person chooses a password, signs in with the given roles, and has a verified address', async () => {
  const { id, isNew, hasPassword, roles } = await invited('--role', 'CLIENT', '--client', 'web');
  expect({ isNew, hasPassword, roles }).toEqual({ isNew: true, hasPassword: false, roles: ['CLIENT'] });
  const link = linkIn(await mailed());
  expect(link.startsWith(`${deployment.issuer}/invitation?`)).toBe(true);
  const agent = createUserAgent(deployment);
  for (const _ of [1, 2, 3]) expect((await agent.get(link)).status).toBe(200);
  const page = await agent.get(link);
  expect(page.headers.get('referrer-policy')).toBe('strict-origin');
  const short = await agent.submit(page, { password: 'short' });
  expect([short.status, wrongOf(short)]).toEqual([400, expect.stringContaining('15')]);
  const done = await agent.submit(short, { password });
  expect(headingOf(done)).toBe('Your password is set');
  expect(done.html).toContain('href="https://contracts.example.com/"');
  const { accessToken } = await apiLogin(deployment, { email, password });
  const profile = await getProfile(deployment, accessToken);
  expect(await profile.json()).toMatchObject({ id, email, emailVerified: true, roles: ['CLIENT'] });
  expect(codeOf(await agent.get(link))).toBe('invalid_one_time_token');
});

test('a second invitation ends the link of the first one, and keeps the account', async () => {
  const first = await invited('--role', 'CLIENT');
  const old = linkIn(await mailed());
  const again = await invited('--language', 'de');
  expect(again).toMatchObject({ id: first.id, isNew: false, roles: ['CLIENT'] });
  const mail = await mailed(2);
  expect(mail.header('Subject')).toEqual(['Gatehouse: Ihre Einladung']);
  const agent = createUserAgent(deployment);
  expect(codeOf(await agent.get(old))).toBe('invalid_one_time_token');
  const page = await agent.get(linkIn(mail));
  expect(headingOf(page)).toBe('Wählen Sie Ihr Passwort');
  await agent.submit(page, { password });
  expect((await login()).status).toBe(200);
});

test('an address that has a password, a disabled account, and unknown names are refused', async () => {
  await invited();
  await createUserAgent(deployment).submit(await createUserAgent(deployment).get(linkIn(await mailed())), {
    password,
  });
  const taken = await invite('--json');
  expect([taken.code, taken.stderr + taken.stdout]).toEqual([73, expect.stringContaining('address_taken')]);
  await runCommand(deployment, ['accounts', 'disable', email]);
  const disabled = await invite('--json');
  expect(disabled.stderr + disabled.stdout).toContain('account_disabled');
  for (const [args, code] of [
    [['--role', 'NONE'], 'unknown_role'],
    [['--client', 'none'], 'unknown_client'],
    [['--language', 'fr'], 'unknown_language'],
  ] as const) {
    const refused = await invite(...args, '--json');
    expect([refused.code, refused.stderr + refused.stdout]).toEqual([64, expect.stringContaining(code)]);
  }
});

test('without mail the command says so, and makes no account', async () => {
  const refused = await runCommand(deployment, ['accounts', 'invite', email], {
    GATEHOUSE_MAIL: 'off',
    GATEHOUSE_SIGNUP_VERIFICATION: 'off',
  });
  expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining('accounts create')]);
  const shown = await runCommand(deployment, ['accounts', 'show', email]);
  expect(shown.code).toBe(1);
});

test('an invitation ends the access of a stranger who signed up with the address before', async () => {
  const strangers = { email, password: 'a stranger was here' };
  await callJsonApi(deployment, '/auth/register', strangers);
  // Within the seven days a sign-in works without a proof.
  const { accessToken, refreshToken } = await apiLogin(deployment, strangers);
  await invited('--role', 'CLIENT');
  // The command has no Redis here, so each server learns it within a second.
  const refresh = () => callJsonApi(deployment, '/auth/refresh', { refreshToken });
  await waitFor(async () => (await refresh()).status === 401 && (await refresh()).status === 401);
  expect((await getProfile(deployment, accessToken)).status).toBe(401);
  expect((await login(strangers)).body.code).toBe('invalid_credentials');
  const link = linkIn(
    (await mailServer.until(email, 2)).find((mail) => mail.header('Subject')[0]?.includes('invitation')),
  );
  const agent = createUserAgent(deployment);
  await agent.submit(await agent.get(link), { password });
  expect((await login()).status).toBe(200);
  expect(await show()).toMatchObject({ emailVerified: true, hasPassword: true });
});
