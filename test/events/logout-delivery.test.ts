import '../../provider/oidc/runtime-notice.ts';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { createNewEvent } from '../../provider/events/catalogue.ts';
import { createLogoutDelivery, type LogoutDeliveryDeps } from '../../provider/events/logout-delivery.ts';
import type { PollingLoop } from '../../provider/events/polling-loop.ts';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { randomToken } from '../../provider/lib/ids.ts';
import { createLogoutSender } from '../../provider/oidc/logout-sender.ts';
import { createOutgoingPost } from '../../provider/oidc/outgoing-requests.ts';
import { SigningKey } from '../../provider/oidc/provider-factory.ts';
import type { ClaimedLogout } from '../../provider/ports/logouts.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { freePort } from '../support/free-port.ts';
import { type LogoutReceiver, startLogoutReceiver, status } from '../support/logout-receiver.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountStore } from '../support/memory/account-store.ts';
import { MemoryClientSessions } from '../support/memory/client-sessions.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryLogouts } from '../support/memory/logouts.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';
import { waitFor } from '../support/wait-for.ts';

const minute = 60_000;
const hour = 60 * minute;
const running: PollingLoop[] = [];
let receiver: LogoutReceiver;
beforeEach(async () => {
  receiver = await startLogoutReceiver();
});
afterEach(async () => {
  // It ends the requests that are not answered.
  await receiver.close();
  await Promise.all(running.splice(0).map((delivery) => delivery.stop()));
});

const newKey = async (kid: string) => new SigningKey({ ...(await generateKey()).privateJwk, kid }, () => {});
const [oldKey, nextKey] = [await newKey('old'), await newKey('next')];

async function createWorld(tuning: Partial<LogoutDeliveryDeps> = {}) {
  const database = new MemoryDatabase();
  const clock = createManualClock();
  const [sessions, logouts] = [new MemoryClientSessions({ database }), new MemoryLogouts({ database })];
  const [outbox, account] = [new MemoryOutbox({ database }), sampleAccount()];
  await new MemoryAccountStore({ database }).insert(account);
  const keys = { signing: oldKey };
  const send = createLogoutSender({
    issuer: 'https://id.example.com',
    clock,
    signingKey: async () => keys.signing,
    post: createOutgoingPost({
      hosts: [],
      ranges: [{ address: '127.0.0.0', prefix: 8, family: 'ipv4' }],
    }),
  });
  const lines: unknown[] = [];
  const logger = {
    info: (fields: object, message: string) => void lines.push({ ...fields, message }),
    warn: (fields: object, message: string) => void lines.push({ ...fields, message }),
  };
  const deps = {
    logouts,
    unitOfWork: new MemoryUnitOfWork({ database }),
    send,
    newEvent: createNewEvent({ clock }),
    clock,
    logger,
    minIdleMs: 5,
    maxIdleMs: 5,
    ...tuning,
  };
  const start = (more: Partial<LogoutDeliveryDeps> = {}) => {
    const delivery = createLogoutDelivery({ ...deps, ...more });
    running.push(delivery);
    delivery.start();
    return delivery;
  };
  /** Ends a session at an app; `changes` replace what is known of the app. */
  const end = async (clientId: string, changes: { uri?: string; mayBePrivate?: boolean } = {}) => {
    const { uri = receiver.uriOf(clientId), mayBePrivate = true } = changes;
    const { id: accountId, tokenVersion } = account;
    const session = { clientId, sid: randomToken(16), accountId, tokenVersion, expiresAt: clock.now() };
    const host = new URL(uri).host;
    await sessions.join(session, { clientId, uri, host, withSid: true, mayBePrivate });
    await sessions.end({ sid: session.sid }, clock.now());
    return session.sid;
  };
  const events = async () =>
    (await outbox.claim(1000, clock.now(), 1)).map(({ type, data: { reason } }) => ({ type, reason }));
  const isSettled = async () => (await logouts.depth()).pending === 0;
  return { database, clock, logouts, deps, account, keys, lines, start, end, events, isSettled };
}

/** Moves the time on until a condition holds. */
async function passTime(
  { clock }: { clock: { advance(ms: number): void } },
  stepMs: number,
  until: () => boolean | Promise<boolean>,
) {
  await waitFor(
    async () => {
      if (await until()) return true;
      clock.advance(stepMs);
      return false;
    },
    { timeoutMs: 30_000, intervalMs: 4 },
  );
}

describe('the delivery of logouts', () => {
  test('an app that is down for an hour gets each logout when it is back, with a token of that moment', async () => {
    const world = await createWorld();
    receiver.answer('app', status(503));
    const sid = await world.end('app');
    const startedAt = world.clock.now();
    world.start();
    await passTime(world, 10_000, () => world.clock.now() - startedAt >= hour);
    const tries = receiver.of('app').length;
    expect(tries).toBeGreaterThan(8);
    expect(tries).toBeLessThan(25);
    receiver.answer('app', undefined);
    await passTime(world, 10_000, world.isSettled);
    // At most the longest pause later.
    expect(world.clock.now() - startedAt).toBeLessThan(hour + 20 * minute);

    const tokens = receiver.of('app').map(({ token }) => decodeJwt(token));
    expect(new Set(tokens.map(({ jti }) => jti)).size).toBe(tokens.length);
    expect(new Set(tokens.map((token) => token.sid))).toEqual(new Set([sid]));
    const last = tokens.at(-1);
    expect((last?.iat ?? 0) * 1000).toBeGreaterThanOrEqual(startedAt + hour);
    expect((last?.exp ?? 0) - (last?.iat ?? 0)).toBe(120);
  });

  test('keys that changed between two tries sign the second', async () => {
    const world = await createWorld();
    receiver.answer('app', status(500));
    await world.end('app');
    world.start();
    await receiver.until('app', 1);
    receiver.answer('app', undefined);
    world.keys.signing = nextKey;
    await passTime(world, 1000, world.isSettled);
    const kids = receiver.of('app').map(({ token }) => decodeProtectedHeader(token).kid);
    expect([kids[0], kids.at(-1)]).toEqual(['old', 'next']);
  });

  test('an app that never answers holds back no other app, and has a bound on its requests', async () => {
    const world = await createWorld();
    let open = 0;
    const silent = createServer(() => {
      open += 1;
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    for (let made = 0; made < 40; made += 1) await world.end('silent', { uri: `http://127.0.0.1:${port}/` });
    for (let made = 0; made < 40; made += 1) await world.end('app');
    world.start();
    await receiver.until('app', 40);
    expect(open).toBeGreaterThan(0);
    expect(open).toBeLessThanOrEqual(8);
    silent.closeAllConnections();
    silent.close();
  });

  test.each([
    ['200', 'delivered', status(200)],
    ['204', 'delivered', status(204)],
    ['200 with a body that never ends', 'delivered', (response) => void response.writeHead(200).write('x')],
    ['201', 'again', status(201)],
    [
      'a redirect, which is not followed',
      'again',
      (response) => void response.writeHead(302, { location: receiver.uriOf('elsewhere') }).end(),
    ],
    ['404', 'again', status(404)],
    ['429', 'again', status(429)],
    ['500', 'again', status(500)],
    ['no response', 'again', (response) => void response.destroy()],
    ['400', 'set aside', status(400)],
    ['400 with a large body', 'set aside', status(400, { error: 'x'.repeat(100_000) })],
  ] satisfies [string, string, Parameters<LogoutReceiver['answer']>[1]][])(
    'an answer with %s: %s',
    async (_, outcome, answer) => {
      const world = await createWorld();
      receiver.answer('app', answer);
      await world.end('app');
      world.start();
      await waitFor(() => world.lines.length > 0);
      const { pending, setAside } = await world.logouts.depth();
      expect([pending, setAside]).toEqual(
        { delivered: [0, 0], again: [1, 0], 'set aside': [0, 1] }[outcome as 'again'],
      );
      expect(receiver.of('elsewhere')).toEqual([]);
    },
  );

  test('a refusal is shown with its error code, and never with the token that the app repeats', async () => {
    const world = await createWorld();
    await world.end('app');
    await world.end('echo');
    receiver.answer('app', status(400, { error: 'invalid_request', error_description: 'no such session' }));
    receiver.answer('echo', (response, { token }) =>
      status(400, { error: token })(response, { token } as never),
    );
    world.start();
    await waitFor(world.isSettled);
    const reasons = (await world.logouts.setAside(10)).map(({ reason }) => reason).sort();
    expect(reasons).toEqual([
      'the client answered with the status 400',
      'the client answered with the status 400 and the error invalid_request',
    ]);
    expect(JSON.stringify([world.lines, await world.events()])).not.toContain('eyJ');
  });

  test('what no app accepted for a day is set aside, with an event; a retry has a day again', async () => {
    const world = await createWorld();
    const uri = `http://127.0.0.1:${await freePort()}/`;
    await world.end('app', { uri });
    const startedAt = world.clock.now();
    world.start();
    await passTime(world, 5 * minute, world.isSettled);
    expect(world.clock.now() - startedAt).toBeGreaterThan(23 * hour);
    expect(world.clock.now() - startedAt).toBeLessThan(25 * hour);
    const [aside] = await world.logouts.setAside(10);
    expect(aside?.reason).toBe("the client can't be reached: ECONNREFUSED");
    expect(await world.events()).toEqual([{ type: 'logout.failed', reason: aside?.reason }]);
    await world.logouts.retry(undefined);
    await passTime(world, 5 * minute, world.isSettled);
    expect(world.clock.now() - startedAt).toBeGreaterThan(46 * hour);
  });

  test('a delivery is an event, once, however often it was tried', async () => {
    const world = await createWorld();
    receiver.answer('app', status(500));
    await world.end('app');
    world.start();
    await passTime(world, 1000, () => receiver.of('app').length >= 3);
    receiver.answer('app', undefined);
    await passTime(world, 1000, world.isSettled);
    expect(await world.events()).toEqual([{ type: 'logout.delivered', reason: undefined }]);
  }, 30_000);

  test('a process that is killed during the request loses nothing', async () => {
    const world = await createWorld();
    const sid = await world.end('app');
    // The first process has claimed the logout and sent it. It is killed before it stores the result.
    const [claimed] = await world.logouts.claim({
      limit: 1,
      perHost: 1,
      busyHosts: [],
      now: world.clock.now(),
      leaseMs: 30_000,
    });
    await world.deps.send(claimed as ClaimedLogout);
    world.start();
    await passTime(world, 1000, world.isSettled);
    expect(receiver.of('app').map(({ token }) => decodeJwt(token).sid)).toEqual([sid, sid]);
  });

  test('several processes at once deliver each logout once', async () => {
    const world = await createWorld();
    const sids = [];
    for (let made = 0; made < 60; made += 1) sids.push(await world.end(`app${made % 3}`));
    for (const _ of [1, 2, 3]) world.start();
    await waitFor(world.isSettled);
    expect(receiver.received.map(({ token }) => decodeJwt(token).sid).sort()).toEqual(sids.sort());
  });

  test('while the keys cannot be read, logouts wait', async () => {
    const world = await createWorld();
    let isAway = true;
    const send = async (logout: ClaimedLogout) => {
      if (isAway) throw new Error('the key store is away');
      return world.deps.send(logout);
    };
    await world.end('app');
    world.start({ send });
    await waitFor(() => world.lines.length > 0);
    isAway = false;
    await passTime(world, 1000, world.isSettled);
    expect(receiver.of('app')).toHaveLength(1);
  });

  test.each([
    ['an address', '127.0.0.1'],
    ['a name', 'localhost'],
    ['an IPv4 address in the form of IPv6', '[::ffff:127.0.0.1]'],
    ['a loopback address of IPv6', '[::1]'],
  ])('a client that registered itself is never called at a private address: %s', async (_, host) => {
    const world = await createWorld();
    await world.end('app', { uri: receiver.uriOf('app', host), mayBePrivate: false });
    world.start();
    await waitFor(world.isSettled);
    expect(receiver.received).toEqual([]);
    const [aside] = await world.logouts.setAside(1);
    expect(aside?.reason).toBe('the address is private, and the client registered itself');
  });

  test('a configured client is called at a private address only if the operator named it', async () => {
    const world = await createWorld();
    await world.end('named', { uri: receiver.uriOf('named', 'localhost') });
    await world.end('other', { uri: `http://[::1]:${await freePort()}/` });
    world.start();
    await waitFor(world.isSettled);
    expect(receiver.of('named')).toHaveLength(1);
    const [aside] = await world.logouts.setAside(1);
    expect(aside?.reason).toContain('name it in GATEHOUSE_OUTGOING_PRIVATE_HOSTS');
  });

  test('stop waits for the requests under way', async () => {
    const world = await createWorld();
    let answer = () => {};
    receiver.answer('app', (response) => {
      answer = () => status(204)(response, {} as never);
    });
    await world.end('app');
    const delivery = world.start();
    await receiver.until('app', 1);
    const stopped = delivery.stop();
    answer();
    await stopped;
    expect(await world.isSettled()).toBe(true);
  });
});
