import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import {
  type ArtifactAdapterDeps,
  createArtifactAdapter,
} from '../../provider/oidc/storage/artifact-adapter.ts';
import type { Artifact, ArtifactKind } from '../../provider/ports/oidc-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemoryOidcStore } from '../support/memory/oidc-store.ts';

const secrets = { first: 'a'.repeat(40), second: 'b'.repeat(40) };
const id = 'an-id-that-somebody-presents-and-nobody-guesses';

/** Keeps what reached the store, and can be looked into. */
class WatchedOidcStore extends MemoryOidcStore {
  readonly written: { kind: ArtifactKind; key: string; artifact: Artifact }[] = [];

  override async put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void> {
    this.written.push({ kind, key, artifact });
    return super.put(kind, key, artifact);
  }
}

let clock: ManualClock;
let store: WatchedOidcStore;
let repeats: { payload: AdapterPayload; consumedAt: number }[];
beforeEach(() => {
  clock = createManualClock();
  store = new WatchedOidcStore({ clock });
  repeats = [];
});

const adapter = (kind: ArtifactKind, ...used: string[]) => adapterWith({}, kind, ...used);

type Options = Partial<Pick<ArtifactAdapterDeps, 'keepExpiredSeconds' | 'showSpent'>>;

function adapterWith(options: Options, kind: ArtifactKind, ...used: string[]): Adapter {
  const keys = createServerKeys([used[0] ?? secrets.first, ...used.slice(1)]);
  const onRepeat = async (payload: AdapterPayload, consumedAt: number): Promise<never> => {
    repeats.push({ payload, consumedAt });
    throw new Error('repeated');
  };
  return createArtifactAdapter(kind, { ...options, store, keys, clock, rememberSpentSeconds: 600, onRepeat });
}
const code = (...used: string[]) => adapter('AuthorizationCode', ...used);
const payload = (changes: object = {}) => ({
  jti: id,
  clientId: 'app',
  exp: clock.now() / 1000 + 60,
  ...changes,
});

describe('what reaches the store', () => {
  test('is neither the id nor the second name nor anything of the payload', async () => {
    await adapter('Session').upsert(id, payload({ uid: 'the-uid-of-the-session', accountId: 'user_A' }), 60);
    const text = JSON.stringify(store.written);
    for (const secret of [id, 'the-uid-of-the-session', 'user_A', 'app"']) expect(text).not.toContain(secret);
    expect(store.written[0]?.artifact.expiresAt).toBe(clock.now() + 60_000);
  });

  test('is not accepted as an id', async () => {
    await adapter('Session').upsert(id, payload({ uid: 'u1' }), 60);
    const [{ key = '', artifact } = {}] = store.written;
    for (const stored of [key, artifact?.indexKey ?? '', artifact?.payload ?? '']) {
      expect(await adapter('Session').find(stored)).toBeUndefined();
      expect(await adapter('Session').findByUid(stored)).toBeUndefined();
    }
    expect(await adapter('Session').find(id)).toMatchObject({ uid: 'u1' });
  });

  test('is of no use when it is moved: under another key, or as another kind', async () => {
    await code().upsert(id, payload(), 60);
    await code().upsert('another-id', payload({ clientId: 'victim' }), 60);
    const [mine, theirs] = store.written;
    if (!mine || !theirs) throw new Error('nothing was written');
    await store.put('AuthorizationCode', mine.key, theirs.artifact);
    expect(await code().find(id)).toBeUndefined();
    await store.put('Session', mine.key, mine.artifact);
    expect(await adapter('Session').find(id)).toBeUndefined();
  });
});

describe('finding', () => {
  test('gives what was put, until it expires', async () => {
    await code().upsert(id, payload(), 60);
    expect(await code().find(id)).toEqual(payload());
    clock.advance(60_000);
    expect(await code().find(id)).toBeUndefined();
  });

  test('by uid: sessions, but no interactions, whose uid is their id', async () => {
    await adapter('Session').upsert(id, payload({ uid: 'u1' }), 60);
    await adapter('Interaction').upsert('u2', payload({ uid: 'u2' }), 60);
    expect(await adapter('Session').findByUid('u1')).toMatchObject({ jti: id });
    expect(await adapter('Interaction').findByUid('u2')).toBeUndefined();
    expect(await adapter('Interaction').find('u2')).toMatchObject({ uid: 'u2' });
  });

  test('a kind keeps to itself, and what was destroyed is gone', async () => {
    await code().upsert(id, payload(), 60);
    expect(await adapter('Interaction').find(id)).toBeUndefined();
    await code().destroy(id);
    expect(await code().find(id)).toBeUndefined();
  });
});

describe('consuming', () => {
  test('is won once; every other one is a repeat, told when that was', async () => {
    await code().upsert(id, payload(), 60);
    const wonAt = clock.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => code().consume(id)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    clock.advance(5000);
    await expect(code().consume(id)).rejects.toThrow('repeated');
    expect(repeats).toHaveLength(10);
    expect(repeats.at(-1)).toMatchObject({ consumedAt: wonAt, payload: { clientId: 'app' } });
  });

  test("of what nobody knows is a repeat too: what isn't there can't be won", async () => {
    await expect(code().consume(id)).rejects.toThrow('repeated');
  });

  test('leaves it to be found, not as consumed and not as expired, so that each repeat gets here', async () => {
    await code().upsert(id, payload(), 60);
    await code().consume(id);
    for (const seconds of [0, 59, 2, 530]) {
      clock.advance(seconds * 1000);
      const found = await code().find(id);
      expect(found).not.toHaveProperty('consumed');
      expect(found?.exp).toBeGreaterThan(clock.now() / 1000);
      await expect(code().consume(id)).rejects.toThrow('repeated');
    }
    clock.advance(10_000);
    expect(await code().find(id)).toBeUndefined();
  });
});

describe('where it is asked for', () => {
  test('what expired is found for a while, as expired, by either name', async () => {
    const kept = adapterWith({ keepExpiredSeconds: 100 }, 'DeviceCode');
    const saved = payload({ userCode: 'BCDFGHJK' });
    await kept.upsert(id, saved, 60);
    clock.advance(159_000);
    expect(await kept.find(id)).toEqual(saved);
    expect(await kept.findByUserCode('BCDFGHJK')).toEqual(saved);
    clock.advance(1000);
    expect(await kept.find(id)).toBeUndefined();
  });

  test('what was spent is shown as spent', async () => {
    const shown = adapterWith({ showSpent: true }, 'PushedAuthorizationRequest');
    await shown.upsert(id, payload(), 60);
    expect(await shown.find(id)).not.toHaveProperty('consumed');
    await shown.consume(id);
    expect(await shown.find(id)).toEqual({ ...payload(), consumed: Math.floor(clock.now() / 1000) });
  });
});

describe('when the server secrets change', () => {
  test('what an older secret named is found, consumed and destroyed', async () => {
    await code(secrets.first).upsert(id, payload(), 60);
    const both = () => code(secrets.second, secrets.first);
    expect(await both().find(id)).toEqual(payload());
    await both().consume(id);
    await expect(both().consume(id)).rejects.toThrow('repeated');
    await expect(code(secrets.first).consume(id)).rejects.toThrow('repeated');
    await both().destroy(id);
    expect(await both().find(id)).toBeUndefined();
  });

  test('what is saved again is under the new one', async () => {
    const both = () => adapter('Session', secrets.second, secrets.first);
    await adapter('Session', secrets.first).upsert(id, payload({ uid: 'u1', version: 1 }), 60);
    expect(await both().findByUid('u1')).toMatchObject({ version: 1 });
    await both().upsert(id, payload({ uid: 'u1', version: 2 }), 60);
    expect(await adapter('Session', secrets.second).find(id)).toMatchObject({ version: 2 });
    expect(await both().findByUid('u1')).toMatchObject({ version: 2 });
  });

  test('what a dropped one named is gone', async () => {
    await code(secrets.first).upsert(id, payload(), 60);
    expect(await code(secrets.second).find(id)).toBeUndefined();
  });
});
