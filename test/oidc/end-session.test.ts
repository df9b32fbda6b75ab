import { beforeEach, expect, test } from '@jest/globals';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createSessionEnd, type SessionEnd } from '../../provider/oidc/sessions/end-session.ts';
import { sessionHandle } from '../../provider/oidc/sessions/sign-ins.ts';
import { createStoredSessions, type StoredSessions } from '../../provider/oidc/sessions/stored-sessions.ts';
import { createArtifacts } from '../../provider/oidc/storage/artifacts.ts';
import type { EndedSession } from '../../provider/revocation/revocation.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemoryOidcStore } from '../support/memory/oidc-store.ts';

const sessionSeconds = 3600;
const session = { kind: 'Session', jti: 'the-cookie', uid: 'the-uid', accountId: 'user_A', exp: 77 };
const authorizations = { shop: { sid: 'sid-1' }, portal: { sid: 'sid-2' }, unmet: {} };

let clock: ManualClock;
let sessions: StoredSessions;
let end: SessionEnd;
let steps: string[];
let revoke: (sid: string) => Promise<void>;
let forbid: (session: EndedSession) => Promise<void>;
/** Saves the session, as every request does at its end. */
let save: (changes?: object) => Promise<void>;
beforeEach(() => {
  clock = createManualClock();
  const store = new MemoryOidcStore({ clock });
  const keys = createServerKeys(['a'.repeat(40), 'b'.repeat(40)]);
  const artifacts = createArtifacts('Session', { store, keys, clock });
  sessions = createStoredSessions({ store, keys, clock });
  steps = [];
  save = async (changes = {}) => {
    const payload = { ...session, authorizations, ...changes };
    await artifacts.put(payload.jti, payload, sessionSeconds);
  };
  revoke = async (sid) => void steps.push(`revoke ${sid}`);
  end = createSessionEnd({
    store,
    keys,
    clock,
    logger: { warn: () => {} },
    sessionSeconds,
    sessions,
    revocation: {
      endSession: (ending) => forbid(ending),
      endSessionAtClient: (sid) => revoke(sid),
    },
    index: {
      remove: async (accountId, id) => {
        const { uid } = session;
        expect(id).toBe(sessionHandle(uid));
        steps.push(`ended ${accountId} ${uid} ${(await sessions.findByUid(uid)) ? 'too early' : 'in truth'}`);
      },
    },
  });
  forbid = async ({ accountId, uid, expiresAt }) => {
    steps.push(
      `forbid ${accountId} ${uid} ${expiresAt} ${(await sessions.findByUid(uid)) ? 'first' : 'late'}`,
    );
  };
});

const endIt = (uid = session.uid) => end.endByUid(uid);

test('an end revokes tokens first, then forbids the session with its event, and then deletes it', async () => {
  await save();
  await endIt();
  const forbidden = 'forbid user_A the-uid 77000 first';
  expect(steps).toEqual(['revoke sid-1', 'revoke sid-2', forbidden, 'ended user_A the-uid in truth']);
  expect(await sessions.findByUid(session.uid)).toBeUndefined();
});

test('a request in progress does not restore an ended session, under the same id or another', async () => {
  await save();
  await endIt();
  await save();
  await save({ jti: 'another-cookie' });
  clock.advance((sessionSeconds - 1) * 1000);
  expect(await sessions.findByUid(session.uid)).toBeUndefined();
});

test('a session stays if its tokens cannot be revoked, and a second end completes the work', async () => {
  await save();
  const working = revoke;
  revoke = async () => {
    throw new Error('away');
  };
  await expect(endIt()).rejects.toThrow('away');
  expect(await sessions.findByUid(session.uid)).toMatchObject({ accountId: 'user_A' });
  revoke = working;
  await endIt();
  expect(steps.at(-1)).toBe('ended user_A the-uid in truth');
});

test('a session stays if it cannot be forbidden, and a second end ends it', async () => {
  await save();
  const working = forbid;
  forbid = async () => {
    throw new Error('away');
  };
  await expect(endIt()).rejects.toThrow('away');
  expect(await sessions.findByUid(session.uid)).toMatchObject({ accountId: 'user_A' });
  forbid = working;
  await endIt();
  expect(await sessions.findByUid(session.uid)).toBeUndefined();
});

test.each([
  ['without an account', { accountId: undefined }, []],
  ['that has ended already', { uid: 'another-uid' }, []],
])('the end of a session %s writes no event', async (_, changes, expected) => {
  await save(changes);
  await endIt();
  expect(steps).toEqual(expected);
});
