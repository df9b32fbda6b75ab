import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { runCommand } from './session-commands.ts';

const login = { user: 'gatehouse', password: 'right-password' };
let server: MailServer;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  server = await startMailServer({ login });
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-mail-'));
  await writeFile(join(folder, 'password'), `${login.password}\n`, { mode: 0o600 });
  env = {
    GATEHOUSE_MAIL: `smtp://127.0.0.1:${server.port}`,
    GATEHOUSE_MAIL_FROM: 'Example <login@example.com>',
    GATEHOUSE_SMTP_USER: login.user,
    GATEHOUSE_SMTP_PASSWORD: `file:${join(folder, 'password')}`,
    GATEHOUSE_APP_NAME: 'Example',
  };
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (args: string[], changes: Record<string, string> = {}) =>
  runCommand({ env, folder }, ['mail', 'test', ...args], changes);

test('a test mail is sent at once, without a database, and the answer of the server is printed', async () => {
  const ended = await run(['--to', 'me@example.com', '--language', 'de']);
  expect(ended).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^Sent to me@example\.com: 250 /),
    stderr: '',
  });
  const [mail] = server.to('me@example.com');
  expect(mail?.header('Subject')).toEqual(['Example: Test-E-Mail']);
  expect(mail?.user).toBe(login.user);
});

test('a failure says what the server answered and what to do, and not the password', async () => {
  await writeFile(join(folder, 'wrong'), 'hunter2hunter2', { mode: 0o600 });
  const wrong = { GATEHOUSE_SMTP_PASSWORD: `file:${join(folder, 'wrong')}` };
  const { code, stderr } = await run(['--to', 'me@example.com'], wrong);
  expect(code).toBe(1);
  expect(stderr).toContain('535');
  expect(stderr).toContain('Check GATEHOUSE_SMTP_USER and GATEHOUSE_SMTP_PASSWORD.');
  expect(stderr).not.toContain('hunter2');
  const json = await run(['--to', 'me@example.com', '--json'], wrong);
  expect(json.stdout + json.stderr).toContain('"mail_not_sent"');
});

test('without GATEHOUSE_MAIL, with missing settings or with a wrong address it says so', async () => {
  expect(
    await run(['--to', 'me@example.com'], {
      GATEHOUSE_MAIL: '',
      GATEHOUSE_SMTP_USER: '',
      GATEHOUSE_SMTP_PASSWORD: '',
    }),
  ).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('Mail is off'),
  });
  expect(await run(['--to', 'me@example.com'], { GATEHOUSE_MAIL_FROM: '' })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('GATEHOUSE_MAIL is set without GATEHOUSE_MAIL_FROM'),
  });
  expect(await run(['--to', 'me@example.com'], { GATEHOUSE_SMTP_PASSWORD: '' })).toMatchObject({ code: 78 });
  expect(await run(['--to', 'a@example.com, b@example.com'])).toMatchObject({ code: 64 });
  expect(server.to('b@example.com')).toEqual([]);
});

test('a worker and accounts set-password name what they need for mails', async () => {
  const database = { GATEHOUSE_DATABASE_URL: 'postgres://gatehouse@127.0.0.1:1/gatehouse' };
  for (const command of [['worker'], ['accounts', 'set-password', 'me@example.com']]) {
    const { code, stderr } = await runCommand({ env: { ...env, ...database }, folder }, command);
    expect(code).toBe(78);
    expect(stderr).toContain('GATEHOUSE_SERVER_SECRETS is not set');
  }
});
