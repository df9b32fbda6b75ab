import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { startFleet } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { type Program, runProgram } from '../support/program.ts';
import { waitFor } from '../support/wait-for.ts';

describe('shutdown, on Postgres', () => {
  let deployment: Deployment;
  const started: Program[] = [];
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false });
  }, 120_000);
  afterAll(async () => {
    for (const program of started) if (!program.hasEnded()) program.kill('SIGKILL');
    await Promise.all(started.map((program) => program.ended));
    await deployment?.stop();
  });

  /** Starts one more process of the same deployment. */
  async function serve(delaySeconds: number) {
    const env = { ...deployment.env, GATEHOUSE_SHUTDOWN_DELAY_SECONDS: String(delaySeconds) };
    const fleet = await startFleet({ command: 'serve', env, folder: deployment.folder });
    started.push(...fleet.started);
    const [program, origin = '', opsOrigin = ''] = [fleet.programs[0], fleet.origins[0], fleet.opsOrigins[0]];
    if (!program) throw new Error('no process was started');
    return { program, origin, opsOrigin };
  }

  /** Starts a login whose last byte is not sent yet. */
  async function halfLogin(origin: string) {
    const body = JSON.stringify({ email: demo.email, password: demo.password });
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      expect: '100-continue',
    };
    const { port } = new URL(origin);
    const call = request({ host: '127.0.0.1', port, path: '/auth/login', method: 'POST', headers });
    const answered = new Promise<{ status: number | undefined; connection: string | undefined }>(
      (resolve, reject) => {
        call.once('error', reject);
        call.once('response', (answer) => {
          answer.resume();
          resolve({ status: answer.statusCode, connection: answer.headers.connection });
        });
      },
    );
    answered.catch(() => {});
    await new Promise((resolve) => call.once('continue', resolve).flushHeaders());
    call.write(body.slice(0, -1));
    return { finish: () => call.end(body.slice(-1)), answered };
  }

  const refuses = (origin: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1');
      socket.once('error', () => resolve(true));
      socket.once('connect', () => {
        socket.destroy();
        resolve(false);
      });
    });

  test('after SIGTERM the process is unready at once and keeps serving, without reuse of connections; a second signal ends it', async () => {
    const { program, origin, opsOrigin } = await serve(300);
    program.kill('SIGTERM');
    const unready = await waitFor(
      async () => {
        const answer = await fetch(`${opsOrigin}/readyz`);
        return answer.status === 503 && ((await answer.json()) as object);
      },
      { what: 'unready after SIGTERM' },
    );
    expect(unready).toMatchObject({ status: 'unready', stopping: true });
    expect((await fetch(`${opsOrigin}/livez`)).status).toBe(200);
    const login = await halfLogin(origin);
    login.finish();
    expect(await login.answered).toEqual({ status: 200, connection: 'close' });
    expect(program.hasEnded()).toBe(false);

    program.kill('SIGTERM');
    expect(await program.ended).toBe(1);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'after %s a request under way is answered, new connections are refused, and the exit code is 0',
    async (signal) => {
      const { program, origin } = await serve(0);
      const login = await halfLogin(origin);
      program.kill(signal);
      await waitFor(() => refuses(origin), { what: 'new connections to be refused' });
      expect(program.hasEnded()).toBe(false);
      login.finish();
      expect(await login.answered).toEqual({ status: 200, connection: 'close' });
      expect(await program.ended).toBe(0);
      expect(program.output()).not.toMatch(/not stopped in time|failed to stop|"level":"error"/);
    },
  );

  test('an idle connection doesn’t delay the end', async () => {
    const { program, origin } = await serve(0);
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    program.kill('SIGTERM');
    await closed;
    expect(await program.ended).toBe(0);
    expect(program.output()).not.toContain('not stopped in time');
  });

  test.each(['GATEHOUSE_PORT', 'GATEHOUSE_OPS_PORT'])(
    'a port of %s that is in use is reported in a sentence',
    async (name) => {
      const taken = deployment.env.GATEHOUSE_ISSUER?.split(':').at(-1) ?? '';
      const env = {
        ...deployment.env,
        GATEHOUSE_PORT: String(await freePort()),
        GATEHOUSE_OPS_PORT: String(await freePort()),
        [name]: taken,
      };
      const program = runProgram(['serve'], { env, cwd: deployment.folder });
      started.push(program);
      expect(await program.ended).toBe(78);
      expect(program.output()).toContain(taken);
      expect(program.output()).toContain(name);
      expect(program.output()).not.toMatch(/\n\s+at /);
    },
  );
});
