import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Caller, postJson } from './caller.ts';
import type { Ledger } from './ledger.ts';

export interface ClientDeps {
  name: string;
  call: Caller;
  ledger: Ledger;
  isOver(): boolean;
}

interface Promised {
  accessToken: string;
  refreshToken: string;
  /** Milliseconds since the epoch: when it was known to be good. */
  at: number;
}

/** One app of one person, that signs in, refreshes and signs out, and remembers what it was promised. */
export interface ChaosClient {
  run(): Promise<void>;
  /** What must still hold in the end. */
  settleUp(): Promise<void>;
  /** Sign-ins that were answered with tokens. */
  signIns: number;
  email: string;
}

export function createClient({ name, call, ledger, isOver }: ClientDeps): ChaosClient {
  const email = `${name}@example.com`;
  const password = `a quiet evening of ${name}`;
  const spent: string[] = [];
  const signedOut: { refreshToken: string; accessToken: string }[] = [];
  let held: Promised | undefined;

  const profile = async (token: string) =>
    call('profile', '/user/profile', { headers: { authorization: `Bearer ${token}` } });
  const promisedBy = ({ body }: Answer): Promised => ({
    accessToken: String(body.accessToken),
    refreshToken: String(body.refreshToken),
    at: Date.now(),
  });

  const signIn = async () => {
    const answer = await call('sign-in', '/auth/login', postJson({ email, password }));
    if (answer?.status === 200) {
      client.signIns += 1;
      held = promisedBy(answer);
    } else if (answer) ledger.violated(`${name} could not sign in: ${answer.status} ${answer.text}`);
  };

  /** Sends the same refresh once, or as two tabs do. */
  const refresh = async (from: Promised) => {
    const ask = () => call('refresh', '/auth/refresh', postJson({ refreshToken: from.refreshToken }));
    const startedAt = Date.now();
    const answers = (await Promise.all(Math.random() < 0.3 ? [ask(), ask()] : [ask()])).filter(
      (answer): answer is Answer => answer !== undefined,
    );
    if (new Set(answers.map(({ text }) => text)).size > 1 && !ledger.wasDataLost(from.at, Date.now()))
      ledger.violated(`${name} got two answers to one refresh`);
    const good = answers.find(({ status }) => status === 200);
    const [first] = answers;
    if (good) {
      spent.push(from.refreshToken);
      held = promisedBy(good);
    } else if (first) refused(first, from, startedAt);
  };

  const refused = ({ status, body, text }: Answer, from: Promised, startedAt: number) => {
    held = undefined;
    const clean = status === 401 && body.code === 'invalid_grant';
    if (clean && ledger.wasDataLost(from.at, Date.now())) return ledger.count('signed out by lost data');
    ledger.violated(
      `${name} was signed out: ${status} ${text.slice(0, 200)}, ${Date.now() - startedAt} ms after it first asked`,
    );
  };

  const checkHeld = async (promised: Promised) => {
    const answer = await profile(promised.accessToken);
    if (answer && answer.status !== 200)
      ledger.violated(`${name}: a live access token was refused: ${answer.status} ${answer.text}`);
  };

  const signOut = async (promised: Promised) => {
    const { refreshToken, accessToken } = promised;
    const answer = await call('sign-out', '/auth/logout', postJson({ refreshToken }));
    if (answer?.status !== 204) return;
    held = undefined;
    // Its data lost, Redis doesn't know whose family that was: the tokens live to their end.
    if (!ledger.wasDataLost(promised.at, Date.now())) signedOut.push({ refreshToken, accessToken });
  };

  const checkSignedOut = async () => {
    for (const { refreshToken, accessToken } of signedOut.slice(-3)) {
      const seen = await profile(accessToken);
      if (seen && seen.status !== 401) ledger.violated(`${name}: a revoked access token worked`);
      const again = await call('refresh', '/auth/refresh', postJson({ refreshToken }));
      if (again && again.status !== 401) ledger.violated(`${name}: a revoked refresh token worked`);
    }
  };

  const step = async () => {
    if (!held) return signIn();
    const dice = Math.random();
    if (dice < 0.65) return refresh(held);
    if (dice < 0.9) return checkHeld(held);
    if (dice < 0.95) return checkSignedOut();
    return signOut(held);
  };

  const client: ChaosClient = {
    signIns: 0,
    email,
    run: async () => {
      await call('sign-up', '/auth/register', postJson({ email, password }));
      while (!isOver()) {
        await step();
        await pause(50 + Math.random() * 250);
      }
    },
    settleUp: async () => {
      if (held) await checkHeld(held);
      if (held) await refresh(held);
      await checkSignedOut();
      // The chain's older tokens: none may get tokens of its own any more.
      for (const refreshToken of spent.slice(-5, -1)) {
        const answer = await call('refresh', '/auth/refresh', postJson({ refreshToken }));
        if (answer && answer.status !== 401) ledger.violated(`${name}: a token worked twice`);
      }
    },
  };
  return client;
}
