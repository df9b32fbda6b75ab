import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { documentOf, runCommand } from '../cli/session-commands.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { type Program, runProgram } from '../support/program.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { startWorker as startWorkerBeside } from '../support/start-worker.ts';
import { createUserAgent, type Person } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { formOf } from './account-pages.ts';
import { appDocument } from './apps.ts';

jest.setTimeout(240_000);

const next = 'a longer walk along the river';
const hour = 3_600_000;

let mailServer: MailServer;
let deployment: FleetDeployment;
let folder: string;
const workers: Program[] = [];

/** Moves the time of all processes. */
const setClock = (ms: number) => writeFile(join(folder, 'clock.json'), JSON.stringify({ all: ms }));

beforeAll(async () => {
  mailServer = await startMailServer();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-clock-'));
  await setClock(0);
  deployment = await startServers({
    clients: [appDocument('web')],
    env: {
      GATEHOUSE_JOBS: 'worker',
      GATEHOUSE_MAIL: `smtp://127.0.0.1:${mailServer.port}`,
      GATEHOUSE_MAIL_FROM: 'Example Login <login@example.com>',
      GATEHOUSE_APP_NAME: 'Example',
      NODE_OPTIONS: `--import ${join(packageRoot, 'test', 'support', 'shifted-clock.js')}`,
      TEST_CLOCK_FILE: join(folder, 'clock.json'),
    },
  });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await Promise.all(workers.map((worker) => worker.ended));
  await deployment?.stop();
  await mailServer?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A worker needs neither Redis nor clients. */
async function startWorker(): Promise<Program> {
  const worker = await startWorkerBeside(deployment, { without: ['GATEHOUSE_CLIENTS_FILE'], workers });
  expect(worker.hasEnded()).toBe(false);
  return worker;
}

async function changePassword(person: Person, language = 'en'): Promise<void> {
  const fetch: FleetDeployment['fetch'] = (url, init) =>
    deployment.fetch(url, { ...init, headers: { ...init?.headers, 'accept-language': language } });
  const agent = createUserAgent({ issuer: deployment.issuer, fetch });
  const page = await openAccount(deployment, agent, person);
  await agent.submit(formOf(page, 'password'), { currentPassword: person.password, newPassword: next });
}

describe('mails about changed passwords', () => {
  beforeAll(startWorker);

  test('a person who changes the password gets a mail that says so, in the language of the page', async () => {
    const person = await newPerson(deployment);
    await changePassword(person, 'de');
    const [mail, ...others] = await mailServer.until(person.email, 1);
    expect(others).toEqual([]);
    expect(mail?.header('Subject')).toEqual(['Example: Ihr Passwort wurde geändert']);
    expect(mail?.header('From')).toEqual(['Example Login <login@example.com>']);
    for (const type of ['text/plain', 'text/html'] as const) {
      expect(mail?.part(type)).toContain(person.email);
      expect(mail?.part(type)).toContain(`${deployment.issuer}/account`);
    }
    expect(mail?.part('text/html')).not.toMatch(/<img|<link|src=|@import|url\(/);
  });

  test('a person whose password an administrator changes gets the mail, in the language of the account', async () => {
    const person = await newPerson(deployment);
    const { env, folder: cwd } = deployment;
    const command = runProgram(['accounts', 'set-password', person.email], { env, cwd, input: `${next}\n` });
    expect(await command.ended).toBe(0);
    const [mail] = await mailServer.until(person.email, 1);
    expect(mail?.header('Subject')).toEqual(['Example: your password was changed']);
  });

  test('a change that fails sends no mail', async () => {
    const person = await newPerson(deployment);
    await changePassword(person);
    await mailServer.until(person.email, 1);
    const agent = createUserAgent(deployment);
    const page = await openAccount(deployment, agent, { ...person, password: next });
    await agent.submit(formOf(page, 'password'), { currentPassword: 'wrong', newPassword: person.password });
    const other = await newPerson(deployment);
    await changePassword(other);
    await mailServer.until(other.email, 1);
    expect(mailServer.to(person.email)).toHaveLength(1);
  });

  test('a mail server that is away for hours loses no mail', async () => {
    const person = await newPerson(deployment);
    await mailServer.goAway();
    await changePassword(person);
    await waitFor(() => workers.some(({ output }) => output().includes('mail not sent, trying again')), {
      timeoutMs: 30_000,
    });
    await mailServer.comeBack();
    await setClock(2 * hour);
    expect(await mailServer.until(person.email, 1)).toHaveLength(1);
  });

  test('a refused mail is set aside, shown without its address, and sent again on demand', async () => {
    const person = await newPerson(deployment);
    mailServer.refuse(person.email, { at: 'recipient', code: 550 });
    await changePassword(person);
    const failed = async () => {
      const result = await runCommand(deployment, ['mail', 'failed', '--json']);
      return documentOf<{ mails: { id: string; kind: string; reason: string }[] }>(result).mails;
    };
    await waitFor(async () => (await failed()).length > 0, { timeoutMs: 30_000 });
    const [mail] = await failed();
    expect(mail).toMatchObject({ kind: 'password-changed', attempts: 1 });
    expect(mail?.reason).toContain('<address>');
    expect(JSON.stringify(mail)).not.toContain(person.email);
    mailServer.refuse(person.email, undefined);
    await runCommand(deployment, ['mail', 'failed', '--retry']);
    expect(await mailServer.until(person.email, 1)).toHaveLength(1);
    expect(await failed()).toEqual([]);
  });

  test('a worker that is killed while it sends loses no mail, and the repeat has the same id', async () => {
    const person = await newPerson(deployment);
    const arrived = new Promise<void>((resolve) => {
      mailServer.beforeAnswer((mail) => {
        if (mail.to.includes(person.email)) resolve();
        return new Promise(() => {});
      });
    });
    await changePassword(person);
    await arrived;
    for (const worker of workers.splice(0)) {
      worker.kill('SIGKILL');
      await worker.ended;
    }
    mailServer.beforeAnswer(undefined);
    await setClock(3 * hour);
    await Promise.all([startWorker(), startWorker()]);
    const mails = await mailServer.until(person.email, 2);
    expect(new Set(mails.map((mail) => mail.header('Message-ID')[0])).size).toBe(1);
  });
});
