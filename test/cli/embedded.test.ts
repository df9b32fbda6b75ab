import { expect, test } from '@jest/globals';
import { demo, startEmbedded } from '../support/deployment.ts';
import { runProgram } from '../support/program.ts';

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
