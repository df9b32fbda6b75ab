import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { demo, startEmbedded } from '../support/deployment.ts';
import { runProgram } from '../support/program.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createWorkplace } from './command.ts';

test('accounts commands on the embedded database are refused while dev runs, and work afterwards', async () => {
  const deployment = await startEmbedded();
  try {
    const { env, folder: cwd, programs } = deployment;
    const accounts = async (...args: string[]) => {
      const program = runProgram(['accounts', ...args], { env: { ...env, GATEHOUSE_APIS_FILE: '' }, cwd });
      return { code: await program.ended, stdout: program.stdout(), stderr: program.stderr() };
    };
    const refused = await accounts('list');
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).toMatch(
      /^gatehouse: Another gatehouse \(process \d+\) runs on the data folder \S+\. Stop it, or use another folder or a real database/,
    );
    programs[0]?.kill('SIGTERM');
    await programs[0]?.ended;
    expect(await accounts('list')).toMatchObject({ code: 0, stdout: expect.stringContaining(demo.email) });
    const changed = await accounts('set-roles', demo.email, 'CLIENT');
    expect(changed).toEqual({ code: 0, stdout: `${demo.email} now has the roles CLIENT.\n`, stderr: '' });
  } finally {
    await deployment.stop();
  }
}, 120_000);

test('clients apply on the embedded database gives the client to the next dev', async () => {
  const deployment = await startEmbedded();
  try {
    const { env, folder: cwd, programs } = deployment;
    const client = {
      id: 'applied',
      name: 'Applied',
      grants: ['client_credentials'],
      scopes: ['contracts:read'],
    };
    await writeFile(join(cwd, 'applied.yaml'), stringify(client));
    programs[0]?.kill('SIGTERM');
    await programs[0]?.ended;
    const apply = runProgram(['clients', 'apply', '-f', 'applied.yaml', '--json'], {
      env: { ...env, GATEHOUSE_APIS_FILE: '' },
      cwd,
    });
    expect([await apply.ended, apply.stderr()]).toEqual([0, '']);
    const { secret } = JSON.parse(apply.stdout()).secrets[0];
    await deployment.restart(0);
    const app = createTestClient(deployment, { id: client.id, secret });
    expect((await app.clientCredentials()).status).toBe(200);
    const demoService = createTestClient(deployment, demoApps.service);
    expect((await demoService.clientCredentials()).status).toBe(200);
  } finally {
    await deployment.stop();
  }
}, 120_000);
/** Makes the packages of the embedded database look as if they were not installed, as in the image. */
const withoutEmbeddedDatabase = () => {
  const hooks = `export async function resolve(specifier, context, next) {
    if (!specifier.startsWith('@electric-sql/')) return next(specifier, context);
    throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  }`;
  const asUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(hooks))});`;
  return `--import ${asUrl(register)}`;
};

test('without a database URL, dev says what to set where there is no embedded database', async () => {
  const workplace = await createWorkplace();
  try {
    const ended = await workplace.gatehouse(['dev'], { env: { NODE_OPTIONS: withoutEmbeddedDatabase() } });
    expect(ended).toEqual({
      code: 78,
      stdout: '',
      stderr:
        'gatehouse: GATEHOUSE_DATABASE_URL is missing, and this installation has no embedded database: neither the image nor `npm ci --omit=dev` contains it.\n',
    });
  } finally {
    await workplace.remove();
  }
}, 60_000);
