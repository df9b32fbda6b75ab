import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { eachStore, type FleetDeployment, oneProcess, startServers } from '../support/deployment.ts';
import { metric } from '../support/metrics.ts';
import { runProgram } from '../support/program.ts';
import { decodeJwt, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp, offline, removeClient, standing } from './apps.ts';

const grants = ['authorization_code', 'refresh_token', 'client_credentials'];
const app = (id: string, more: Record<string, unknown> = {}) => appDocument(id, { grants, ...more });

/** An app whose secret Gatehouse generates. */
const generated = (id: string, more: Record<string, unknown> = {}) => ({
  ...app(id, more),
  secrets: undefined,
});

const two = { timeoutMs: 2000, intervalMs: 25 };
/** The file is read every two seconds, and used when two reads agree; the store is looked at every ten seconds. */
const patience = { timeoutMs: 40_000, intervalMs: 100 };

interface World {
  deployment: FleetDeployment;
  database: Database;
}

/** What tests do with the clients of a deployment. */
function commandsOf({ deployment }: World) {
  const gatehouse = async (...args: string[]) => {
    const { env, folder: cwd } = deployment;
    const program = runProgram(['clients', ...args], { env, cwd });
    return { code: await program.ended, stdout: program.stdout(), stderr: program.stderr() };
  };
  const done = async (...args: string[]) => {
    const ended = await gatehouse(...args);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    return ended.stdout;
  };
  const write = (clients: readonly object[]) =>
    writeFile(join(deployment.folder, 'apply.yaml'), stringify({ clients }));
  const secretIn = (stdout: string) => /shown only now: (?<secret>\w+)/.exec(stdout)?.groups?.secret ?? '';
  return {
    gatehouse,
    done,
    secretIn,
    tryApply: async (clients: readonly object[], ...more: string[]) => {
      await write(clients);
      return gatehouse('apply', '-f', 'apply.yaml', ...more);
    },
    apply: async (clients: readonly object[], ...more: string[]) => {
      await write(clients);
      return secretIn(await done('apply', '-f', 'apply.yaml', ...more));
    },
    /** The status of a token request of the client at each process. */
    statuses: (id: string, secret?: string) =>
      Promise.all(
        deployment.origins.map(
          async (_, at) =>
            (await createApp(oneProcess(deployment, at), id, secret).clientCredentials()).status,
        ),
      ),
  };
}

const all = (status: number) => (statuses: number[]) => statuses.every((one) => one === status);

describe.each(eachStore)('clients in the store, over two processes on $name', ({ start }) => {
  let deployment: FleetDeployment;
  let world: World;
  let commands: ReturnType<typeof commandsOf>;
  beforeAll(async () => {
    deployment = await start({ clients: [app('in-file'), app('leaves-file'), app('moves')] });
    world = { deployment, database: openDatabase({ url: deployment.databaseUrl ?? '', poolMax: 1 }) };
    commands = commandsOf(world);
  }, 120_000);
  afterAll(async () => {
    await world?.database.close();
    await deployment?.stop();
  });

  const working = async (id: string, secret?: string, within = two) =>
    waitFor(async () => all(200)(await commands.statuses(id, secret)), {
      ...within,
      what: `${id} to work in every process`,
    });

  test('every process uses an applied change in under two seconds, although it looks only every two minutes', async () => {
    for (const round of [1, 2, 3]) {
      const secret = await commands.apply([generated(`quick-${round}`)]);
      await working(`quick-${round}`, secret);
    }
    await commands.done('delete', 'quick-1');
    await waitFor(async () => all(401)(await commands.statuses('quick-1', 'x')), two);
  }, 60_000);

  test('a process whose connection for signals was ended uses changes in under two seconds too', async () => {
    await world.database.knex.raw(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ~ '^(listen|notify gatehouse_proof)'`);
    const secret = await commands.apply([generated('deaf')]);
    await working('deaf', secret);
  }, 60_000);

  const gone: [what: string, end: (id: string) => Promise<unknown>, isDeleted: boolean][] = [
    ['deleted', (id) => commands.done('delete', id), true],
    ['disabled', (id) => commands.apply([app(id, { enabled: false })]), false],
    ['pruned', (id) => commands.apply([{ ...app('other') }], '--prune', '--owner', `only-${id}`), true],
  ];
  test.each(gone)(
    'a client that is %s loses its tokens, and a later one of this id too',
    async (what, end, isDeleted) => {
      const id = `${what}-app`;
      const owner = what === 'pruned' ? ['--owner', `only-${id}`] : [];
      await commands.apply([app(id)], ...owner);
      await working(id);
      const client = createApp(deployment, id);
      const agent: UserAgent = createUserAgent(deployment);
      const tokens = await client.signIn(agent, offline);
      const code = await client.code(agent, { scope: allScopes });
      const machine = tokensOf(await client.clientCredentials()).access_token;
      expect(await standing(deployment, client, tokens.access_token)).toBe('live');
      const silent = async () => {
        const answer = await client.authorize(agent, { scope: allScopes, prompt: 'none' });
        return answer.get('error') ?? 'code';
      };
      expect(await silent()).toBe('code');

      await end(id);
      // Access tokens are dead when the command has ended; the client is gone when the process has read the store.
      for (const token of [tokens.access_token, machine]) {
        const audience = encodeURIComponent(String(decodeJwt(token).claims.aud));
        for (const _ of deployment.origins) {
          const headers = { authorization: `Bearer ${token}` };
          const url = `${deployment.issuer}/auth/verify?audience=${audience}`;
          expect((await deployment.fetch(url, { headers })).status).toBe(401);
        }
      }
      await waitFor(async () => all(401)(await commands.statuses(id)), two);
      for (const _ of deployment.origins) {
        expect((await client.refresh(tokens.refresh_token)).body.error).toBe('invalid_client');
        expect((await client.redeem(code)).body.error).toBe('invalid_client');
      }

      await commands.apply([app(id)], ...owner);
      await working(id);
      for (const _ of deployment.origins) {
        expect((await client.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
        expect((await client.post('introspect', { token: tokens.access_token })).body.active).toBe(false);
      }
      expect((await client.redeem(code)).body.error).toBe('invalid_grant');
      expect(await standing(deployment, client, tokens.access_token)).toBe('dead');
      expect(await silent()).toBe(isDeleted ? 'consent_required' : 'code');
      const again = await client.signIn(agent, { scope: allScopes });
      expect(await standing(deployment, client, again.access_token)).toBe('live');
    },
    90_000,
  );

  test('an app never fails while its secret rotates: before, during and after the overlap', async () => {
    const first = await commands.apply([generated('rotating')]);
    await working('rotating', first);
    const agent = createUserAgent(deployment);
    const { refresh_token } = await createApp(deployment, 'rotating', first).signIn(agent, offline);
    let [current, refreshToken, running] = [first, refresh_token ?? '', true];
    const failures: unknown[] = [];
    let calls = 0;
    const useApp = async () => {
      while (running) {
        const client = createApp(deployment, 'rotating', current);
        const refreshed = await client.refresh(refreshToken);
        if (refreshed.status === 200) refreshToken = String(refreshed.body.refresh_token);
        else failures.push(refreshed.body);
        await client.signIn(agent, { scope: allScopes }).catch((error: unknown) => failures.push(error));
        calls += 1;
      }
    };
    const using = useApp();
    const callsSince = (before: number, what: string) =>
      waitFor(() => calls > before + 2, { what, timeoutMs: 20_000 });
    try {
      await callsSince(calls, 'sign-ins before the rotation');
      const second = commands.secretIn(await commands.done('rotate-secret', 'rotating', '--overlap', '8s'));
      await callsSince(calls, 'sign-ins with the first secret during the overlap');
      await working('rotating', second);
      current = second;
      await callsSince(calls, 'sign-ins with the second secret during the overlap');
      await waitFor(async () => all(401)(await commands.statuses('rotating', first)), {
        timeoutMs: 20_000,
        what: 'the overlap to end',
      });
      await callsSince(calls, 'sign-ins after the overlap');
    } finally {
      running = false;
      await using;
    }
    expect(failures).toEqual([]);
  }, 90_000);
});

describe('clients in the store beside those of a file', () => {
  let deployment: FleetDeployment;
  let world: World;
  let commands: ReturnType<typeof commandsOf>;
  beforeAll(async () => {
    deployment = await startServers({
      redis: false,
      clients: [app('in-file'), app('leaves-file'), app('moves')],
    });
    world = { deployment, database: openDatabase({ url: deployment.databaseUrl ?? '', poolMax: 1 }) };
    commands = commandsOf(world);
  }, 120_000);
  afterAll(async () => {
    await world?.database.close();
    await deployment?.stop();
  });

  const log = () => deployment.programs.map((program) => program.output()).join('');
  const stale = (source: string) => metric(deployment, 'gatehouse_clients_stale', `source="${source}"`);
  const file = () => join(deployment.folder, 'clients.yaml');

  test('a client of the file is refused and listed; taken over, it keeps its tokens when it leaves the file', async () => {
    const client = createApp(deployment, 'moves');
    const tokens = await client.signIn(createUserAgent(deployment), offline);
    const refused = await commands.tryApply([app('moves')]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/client moves is in the file/) });
    expect(await commands.done('list')).toMatch(/^moves +the file of the servers$/m);

    await commands.apply([app('moves', { name: 'Moved' })], '--from-file');
    await waitFor(async () => (await stale(file())) === 2, patience);
    expect(log()).toMatch(/client moves: ignored, because clients apply \(owner default\) defines it too/);
    await removeClient(deployment, 'moves');
    await waitFor(async () => (await stale(file())) === 0, patience);
    expect(await standing(deployment, client, tokens.access_token)).toBe('live');
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  }, 90_000);

  test('a client that leaves the file loses its tokens in every process', async () => {
    const client = createApp(deployment, 'leaves-file');
    const tokens = await client.signIn(createUserAgent(deployment), offline);
    const other = createApp(deployment, 'in-file');
    const others = await other.signIn(createUserAgent(deployment), offline);
    await removeClient(deployment, 'leaves-file');
    await waitFor(async () => (await standing(deployment, client, tokens.access_token)) === 'dead', patience);
    await waitFor(async () => (await client.refresh(tokens.refresh_token)).status === 401, patience);
    expect(await standing(deployment, other, others.access_token)).toBe('live');
  }, 90_000);

  test('a change whose signal was lost is used after the next look', async () => {
    const secret = await commands.apply([generated('lost')]);
    await waitFor(async () => all(200)(await commands.statuses('lost', secret)), two);
    // Without NOTIFY.
    await world.database.knex.raw(`
      update clients set revision = nextval('client_revisions'),
        document = document || '{"enabled": false}' where id = 'lost'`);
    const look = { timeoutMs: 150_000, intervalMs: 1000, what: 'the next look' };
    await waitFor(async () => all(401)(await commands.statuses('lost', secret)), look);
  }, 200_000);

  test('a bad document takes only its own change out of use, also at the start', async () => {
    const changed = async (document: object) => {
      await world.database.knex.raw(
        `update clients set revision = nextval('client_revisions'), document = document || ?::jsonb
         where id = 'spoilt'`,
        [JSON.stringify(document)],
      );
      await world.database.knex.raw('notify gatehouse_clients');
    };
    await commands.apply([app('spoilt'), app('sound')]);
    await waitFor(async () => all(200)(await commands.statuses('spoilt')), two);
    // As an earlier release sees a field that it does not know, or a server whose API was removed.
    await changed({ newField: true });
    await waitFor(async () => (await stale('store')) === 2, patience);
    expect(log()).toMatch(/clients apply \(owner default\): client spoilt: \/newField is not a field/);
    expect([await commands.statuses('spoilt'), await commands.statuses('sound')]).toEqual([
      [200, 200],
      [200, 200],
    ]);
    await commands.apply([app('late')]);
    await waitFor(async () => all(200)(await commands.statuses('late')), two);

    await deployment.restart(0);
    expect([await commands.statuses('spoilt'), await commands.statuses('sound')]).toEqual([
      [401, 200],
      [200, 200],
    ]);
    await commands.apply([app('spoilt'), app('sound')]);
    await waitFor(async () => all(200)(await commands.statuses('spoilt')), two);
    await waitFor(async () => (await stale('store')) === 0, patience);
  }, 90_000);
});
