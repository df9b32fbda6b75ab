import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type FleetDeployment, startEmbedded, startServers } from '../support/deployment.ts';
import { callJsonApi } from '../support/json-api.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import type { Program } from '../support/program.ts';
import { publishedEvents } from '../support/published-events.ts';
import {
  askForMail,
  forgotLink,
  type RecoveryMail,
  readRecoveryMail,
  recoveryMail,
} from '../support/recovery.ts';
import { newPerson } from '../support/sign-in.ts';
import { startWorker } from '../support/start-worker.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { headingOf, noticeOf } from './account-pages.ts';

jest.setTimeout(240_000);

const newPassword = 'a longer walk along the river';

interface Mailed {
  deployment: FleetDeployment;
  mailTo(email: string): Promise<RecoveryMail>;
  programs(): Program[];
  stop(): Promise<void>;
}

/** Mails go to files. */
async function embedded(): Promise<Mailed> {
  const deployment = await startEmbedded();
  const folder = join(deployment.folder, '.gatehouse', 'mails');
  const mailTo = async (email: string) => {
    let found: string | undefined;
    const search = async () => {
      const names = await readdir(folder).catch(() => []);
      const texts = names.filter((name) => name.endsWith('.txt'));
      const all = await Promise.all(texts.map((name) => readFile(join(folder, name), 'utf8')));
      found = all.find((text) => text.includes(email) && text.includes('/recover/password?'));
      return found !== undefined;
    };
    await waitFor(search, { timeoutMs: 30_000, what: 'a mail in the folder' });
    return readRecoveryMail(found ?? '');
  };
  return { deployment, mailTo, programs: () => deployment.programs, stop: () => deployment.stop() };
}

/** Two servers, and a worker that sends the mails to an SMTP server. */
async function twoProcesses(): Promise<Mailed> {
  const mails: MailServer = await startMailServer();
  const deployment = await startServers({
    env: {
      GATEHOUSE_JOBS: 'worker',
      GATEHOUSE_SIGNUP: 'true',
      ...mails.settings,
    },
  });
  const workers: Program[] = [];
  await startWorker(deployment, { without: ['GATEHOUSE_CLIENTS_FILE'], workers });
  return {
    deployment,
    mailTo: (email) => recoveryMail(mails, email),
    programs: () => [...deployment.programs, ...workers],
    stop: async () => {
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.map((worker) => worker.ended));
      await deployment.stop();
      await mails.close();
    },
  };
}

describe.each([
  ['embedded', embedded],
  ['two processes', twoProcesses],
] as const)('a forgotten password, %s', (_kind, open) => {
  let mailed: Mailed;
  beforeAll(async () => {
    mailed = await open();
  });
  afterAll(() => mailed?.stop());

  test('the person gets a mail, sets a new password and signs in with it', async () => {
    const { deployment, mailTo } = mailed;
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    const signInPage = await agent.get(`${deployment.issuer}/account`);
    await agent.submit(await agent.get(forgotLink(signInPage) ?? ''), { email: person.email });
    const { url } = await mailTo(person.email);
    const back = await agent.submit(await agent.get(url), { newPassword });
    expect(noticeOf(back)).toBe('Your password is changed. Sign in with the new one.');
    const account = await agent.submit(back, { email: person.email, password: newPassword });
    expect(headingOf(account)).toBe('Your account');
    const events = () =>
      publishedEvents({ programs: mailed.programs() }).filter(({ data }) => data.email === person.email);
    await waitFor(async () => events().some(({ type }) => type === 'user.recovered'), {
      timeoutMs: 30_000,
      what: 'the event',
    });
    const [created] = events();
    const id = created?.subject;
    const data = { id, email: person.email, actor: id, ip: '127.0.0.1' };
    for (const type of ['user.password_changed', 'user.recovered'])
      expect(events().find((event) => event.type === type)?.data).toEqual(data);
  });

  test('a code counts whichever process gets it, and of parallel requests exactly one spends it', async () => {
    const { deployment, mailTo } = mailed;
    const { email } = await newPerson(deployment);
    const { body } = await callJsonApi(deployment, '/auth/recover', { email });
    const { code } = await mailTo(email);
    const passwords = Array.from({ length: 6 }, (_, index) => `a longer walk along river ${index}`);
    const answers = await Promise.all(
      passwords.map((password) =>
        callJsonApi(deployment, '/auth/recover/password', { flow: body.flow, code, newPassword: password }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 400, 400, 400, 400, 400]);
    const winner = passwords[answers.findIndex(({ status }) => status === 204)];
    expect((await callJsonApi(deployment, '/auth/login', { email, password: winner })).status).toBe(200);
  });
});

describe('without mail', () => {
  let deployment: FleetDeployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1 });
  });
  afterAll(() => deployment?.stop());

  test('the sign-in page offers no recovery, and its page and endpoint say why', async () => {
    const agent = createUserAgent(deployment);
    expect(forgotLink(await agent.get(`${deployment.issuer}/account`))).toBeUndefined();
    const page = await agent.get(`${deployment.issuer}/recover`);
    expect([page.status, headingOf(page)]).toEqual([403, 'A password can’t be recovered here']);
    const { status, body } = await callJsonApi(deployment, '/auth/recover', { email: 'john@example.com' });
    expect([status, body.code]).toEqual([403, 'recovery_disabled']);
    await expect(askForMail(agent, deployment.issuer, 'john@example.com')).rejects.toThrow('no form');
  });
});
