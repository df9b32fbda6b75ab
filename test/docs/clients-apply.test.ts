import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { runProgram } from '../support/program.ts';
import { createTestClient } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

describe('the walk with `clients apply` on the page', () => {
  const heading = '## A client in the database, by `clients apply`';
  const section = readFileSync('docs/clients.md', 'utf8').split(heading)[1]?.split('\n## ')[0] ?? '';
  const blocks = blocksOf(section);

  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ redis: false });
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** Runs the lines of a block. Returns what a terminal shows, with times replaced as on the page. */
  async function run(text: string): Promise<string> {
    const { env, folder: cwd } = deployment;
    let shown = '';
    for (const line of text.trim().split('\n')) {
      const [, ...args] = line.split(' ');
      const program = runProgram(args, { env, cwd });
      await program.ended;
      shown += program.output();
    }
    return shown.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…');
  }

  const signsIn = async () => {
    const secret = await readFile(join(deployment.folder, 'secrets', 'shop.secret'), 'utf8');
    const redirectUri = 'http://localhost:8080/shop/callback';
    const shop = createTestClient(deployment, { id: 'shop', secret, redirectUri });
    for (const _ of deployment.origins)
      expect((await shop.signIn(createUserAgent(deployment))).access_token).toBeTruthy();
    return true;
  };

  test('shows what each command answers, and the app can sign in at every step', async () => {
    const [document, ...others] = blocks;
    expect(document?.language).toBe('yaml');
    const write = (text = '') => writeFile(join(deployment.folder, 'shop.yaml'), text);
    await write(document?.text);
    const steps = others.filter(({ language }) => language === 'sh');
    const answers = others.filter(({ language }) => language === 'text');
    expect([steps.length, answers.length]).toEqual([5, 5]);
    for (const [at, { text }] of steps.entries()) {
      if (at === 2) await write(document?.text.replace('name: The Shop', 'name: Shop'));
      expect(await run(text)).toBe(answers[at]?.text);
      if (at > 0 && at < 4) await waitFor(signsIn, { what: 'the app to sign in' });
    }
    await expect(signsIn()).rejects.toThrow();
  }, 150_000);
});
