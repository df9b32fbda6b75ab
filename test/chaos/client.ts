import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Caller } from './caller.ts';
import { anyCalls, type Calls, type Promised, postJson } from './calls.ts';
import type { FamilyEvent, Ledger } from './ledger.ts';

export interface ClientDeps {
  name: string;
  /** The client of the app. `graceMs` is the time in which its spent refresh tokens get the same answer again. */
  clientId: string;
  graceMs: number;
  call: Caller;
  ledger: Ledger;
  isOver(): boolean;
}

/** One app of one person. It signs in, refreshes and signs out, and checks all promises that it got. */
export interface ChaosClient {
  run(): Promise<void>;
  /** Checks the promises at the end of the run. */
  settleUp(): Promise<void>;
  /** The number of sign-ins that were answered with tokens. */
  signIns: number;
  email: string;
}

/** Tolerance for the time between the answer of a server and its arrival. */
const slackMs = 500;

/** With a grace shorter than the faults, a retry can come too late. Some clients do this on purpose. */
const isStrict = (graceMs: number) => graceMs < 10_000;

export function createClient({ name, clientId, graceMs, call, ledger, isOver }: ClientDeps): ChaosClient {
  const email = `${name}@example.com`;
  const password = `a quiet evening of ${name}`;
  const spent: string[] = [];
  const ended: (Promised & Pick<FamilyEvent, 'type'> & { at: number })[] = [];
  let held: Promised | undefined;

  const profile = (token: string) =>
    call('profile', '/user/profile', { headers: { authorization: `Bearer ${token}` } });

  const promisedBy = (calls: Calls, answer: Answer): Promised | undefined => {
    try {
      return calls.promised(answer);
    } catch (error) {
      ledger.violated(`${name} was answered with 200 and ${(error as Error).message}`);
      return undefined;
    }
  };

  const signIn = async () => {
    const calls = anyCalls();
    const answer = await call(...calls.signIn({ email, password, clientId }));
    if (answer?.status === 200) {
      client.signIns += 1;
      held = promisedBy(calls, answer);
    } else if (answer) ledger.violated(`${name} could not sign in: ${answer.status} ${answer.text}`);
  };

  /** Sends a refresh once, or twice in parallel like two tabs. Returns true if it got tokens. */
  const refresh = async (from: Promised): Promise<boolean> => {
    const calls = anyCalls();
    const startedAt = Date.now();
    const ask = () => call(...calls.refresh(from.refreshToken, clientId));
    const tabs = !isStrict(graceMs) && Math.random() < 0.3 ? [ask(), ask()] : [ask()];
    const answers = (await Promise.all(tabs)).filter((answer): answer is Answer => answer !== undefined);
    if (new Set(answers.map(({ text }) => text)).size > 1 && !ledger.wasLost(from.askedAt))
      ledger.violated(`${name} got two answers to one refresh`);
    const good = answers.find(({ status }) => status === 200);
    const [first] = answers;
    if (good) {
      spent.push(from.refreshToken);
      held = promisedBy(calls, good);
    } else if (first) refused(first, calls.isInvalidGrant(first), from, Date.now() - startedAt);
    // It is unknown whether the token was redeemed, and a later retry would be too late.
    else if (isStrict(graceMs)) held = undefined;
    return good !== undefined;
  };

  const refused = ({ status, text, repeats }: Answer, isClean: boolean, from: Promised, tookMs: number) => {
    held = undefined;
    if (isClean && ledger.wasLost(from.askedAt)) return ledger.count('signed out by lost data');
    if (isClean && repeats > 0 && tookMs > graceMs) return ledger.count('signed out by asking too late');
    ledger.violated(
      `${name} was signed out: ${status} ${text.slice(0, 200)}, ${tookMs} ms after it first asked`,
    );
  };

  const checkHeld = async (promised: Promised) => {
    const answer = await profile(promised.accessToken);
    if (answer && answer.status !== 200)
      ledger.violated(`${name}: a live access token was refused: ${answer.status} ${answer.text}`);
  };

  /**
   * Notes that a family ended: its tokens must stay invalid, and its event is expected. If Redis lost the family, its account
   * is unknown and no event is expected.
   */
  const isOverFor = (promised: Promised, type: FamilyEvent['type']) => {
    ended.push({ ...promised, type, at: Date.now() });
    if (!ledger.wasLost(promised.askedAt)) ledger.toTell.push({ type, familyId: promised.familyId });
  };

  const signOut = async (promised: Promised) => {
    held = undefined;
    const { refreshToken } = promised;
    const answer = await call('sign-out', '/auth/logout', postJson({ refreshToken, clientId }));
    if (answer && answer.status !== 204) ledger.violated(`${name} could not sign out: ${answer.text}`);
    if (answer?.status === 204) isOverFor(promised, 'family.ended');
  };

  /** Presents the last spent token, like a thief. */
  const reuse = async (from: Promised) => {
    if (!(await refresh(from)) || held === undefined) return;
    const stolenFrom = held;
    await pause(graceMs + slackMs);
    held = undefined;
    const calls = anyCalls();
    const answer = await call(...calls.refresh(from.refreshToken, clientId));
    if (!answer) return;
    ledger.count('a spent token presented too late');
    const isClean = calls.isInvalidGrant(answer);
    // After data loss the token is not recognised as spent, so the family is not ended.
    if (isClean && ledger.wasLost(stolenFrom.askedAt)) return ledger.count('signed out by lost data');
    if (isClean) isOverFor(stolenFrom, 'token.reuse_detected');
    else ledger.violated(`${name}: a spent token was answered with ${answer.status} ${answer.text}`);
  };

  const checkEnded = async () => {
    for (const { refreshToken, accessToken, type, at } of ended.slice(-3)) {
      const since = `${Date.now() - at} ms after ${type}`;
      const seen = await profile(accessToken);
      if (seen && seen.status !== 401) ledger.violated(`${name}: a revoked access token worked ${since}`);
      await checkDead(refreshToken, `a revoked refresh token worked ${since}`);
    }
  };

  const checkDead = async (refreshToken: string, otherwise: string) => {
    const calls = anyCalls();
    const answer = await call(...calls.refresh(refreshToken, clientId));
    if (answer && !calls.isInvalidGrant(answer)) ledger.violated(`${name}: ${otherwise}`);
  };

  const step = async () => {
    if (!held) return signIn();
    const dice = Math.random();
    if (isStrict(graceMs) && dice < 0.4) return reuse(held);
    if (dice < 0.65) return refresh(held);
    if (dice < 0.9) return checkHeld(held);
    if (dice < 0.95) return checkEnded();
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
      await checkEnded();
      // Older tokens of the chain must not get new tokens any more.
      for (const refreshToken of spent.slice(-5, -1)) await checkDead(refreshToken, 'a token worked twice');
    },
  };
  return client;
}
