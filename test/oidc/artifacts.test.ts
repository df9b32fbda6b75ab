import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../provider/config/load.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { type Artifacts, artifactAdapter, createArtifacts } from '../../provider/oidc/storage/artifacts.ts';
import { createCodeAdapter } from '../../provider/oidc/storage/code-adapter.ts';
import { createPushedRequestAdapter } from '../../provider/oidc/storage/pushed-requests.ts';
import type { Artifact, ArtifactKind } from '../../provider/ports/oidc-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemoryOidcStore } from '../support/memory/oidc-store.ts';

const secrets = { first: 'a'.repeat(40), second: 'b'.repeat(40) };
const id = 'an-id-that-somebody-presents-and-nobody-guesses';

/** A store whose received records can be inspected. */
class WatchedOidcStore extends MemoryOidcStore {
  readonly written: { kind: ArtifactKind; key: string; artifact: Artifact }[] = [];

  override async put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void> {
    this.written.push({ kind, key, artifact });
    return super.put(kind, key, artifact);
  }
}

let clock: ManualClock;
let store: WatchedOidcStore;
beforeEach(() => {
  clock = createManualClock();
  store = new WatchedOidcStore({ clock });
});

function artifacts(kind: ArtifactKind, ...used: string[]): Artifacts {
  const keys = createServerKeys([used[0] ?? secrets.first, ...used.slice(1)]);
  return createArtifacts(kind, { store, keys, clock });
}
const code = (...used: string[]) => artifacts('AuthorizationCode', ...used);
const keepSeconds = 600;
const payload = (changes: object = {}) => ({
  jti: id,
  clientId: 'app',
  exp: clock.now() / 1000 + 60,
  ...changes,
});

describe('the stored record', () => {
  test('contains neither the id nor the index value nor any text of the payload', async () => {
    await artifacts('Session').put(id, payload({ uid: 'the-uid-of-the-session', accountId: 'user_A' }), 60);
    const text = JSON.stringify(store.written);
    for (const secret of [id, 'the-uid-of-the-session', 'user_A', 'app"']) expect(text).not.toContain(secret);
    expect(store.written[0]?.artifact.expiresAt).toBe(clock.now() + 60_000);
  });

  test('has a key that is not accepted as an id', async () => {
    await artifacts('Session').put(id, payload({ uid: 'u1', accountId: 'user_1' }), 60);
    await artifacts('Session').put('anonymous', payload({ uid: 'u3' }), 60);
    expect(await artifacts('Session').findByIndex('u3')).toBeUndefined();
    const [{ key = '', artifact } = {}] = store.written;
    for (const stored of [key, artifact?.indexKey ?? '', artifact?.payload ?? '']) {
      expect(await artifacts('Session').find(stored)).toBeUndefined();
      expect(await artifacts('Session').findByIndex(stored)).toBeUndefined();
    }
    expect(await artifacts('Session').find(id)).toMatchObject({ payload: { uid: 'u1' } });
  });

  test('cannot be read under another key or as another kind', async () => {
    await code().put(id, payload(), 60);
    await code().put('another-id', payload({ clientId: 'victim' }), 60);
    const [mine, theirs] = store.written;
    if (!mine || !theirs) throw new Error('nothing was written');
    await store.put('AuthorizationCode', mine.key, theirs.artifact);
    expect(await code().find(id)).toBeUndefined();
    await store.put('Session', mine.key, mine.artifact);
    expect(await artifacts('Session').find(id)).toBeUndefined();
  });
});

describe('finding', () => {
  test('returns the artifact until it expires', async () => {
    await code().put(id, payload(), 60);
    expect(await code().find(id)).toEqual({ payload: payload(), spentAt: undefined });
    clock.advance(60_000);
    expect(await code().find(id)).toBeUndefined();
  });

  test('by uid works for sessions, but not for interactions, whose uid is their id', async () => {
    await artifacts('Session').put(id, payload({ uid: 'u1', accountId: 'user_1' }), 60);
    await artifacts('Session').put('anonymous', payload({ uid: 'u3' }), 60);
    expect(await artifacts('Session').findByIndex('u3')).toBeUndefined();
    await artifacts('Interaction').put('u2', payload({ uid: 'u2' }), 60);
    expect(await artifacts('Session').findByIndex('u1')).toMatchObject({ payload: { jti: id } });
    expect(await artifacts('Interaction').findByIndex('u2')).toBeUndefined();
    expect(await artifacts('Interaction').find('u2')).toMatchObject({ payload: { uid: 'u2' } });
  });

  test('keeps kinds separate, and does not return a destroyed artifact', async () => {
    await code().put(id, payload(), 60);
    expect(await artifacts('Interaction').find(id)).toBeUndefined();
    await code().destroy(id);
    expect(await code().find(id)).toBeUndefined();
  });
});

describe('spending', () => {
  test('succeeds once; every other call fails and gets the time of the first', async () => {
    await code().put(id, payload(), 60);
    const spentAt = clock.now();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => code().spend(id, keepSeconds)));
    expect(outcomes.filter(({ outcome }) => outcome === 'won')).toHaveLength(1);
    clock.advance(5000);
    const late = await code().spend(id, keepSeconds);
    expect(late).toMatchObject({ outcome: 'lost', spentAt, payload: { clientId: 'app' } });
    expect(outcomes.filter(({ outcome }) => outcome === 'lost')).toHaveLength(9);
  });

  test('fails for an artifact that does not exist', async () => {
    expect(await code().spend(id, keepSeconds)).toEqual({ outcome: 'missing' });
  });

  test('keeps the time in the artifact for as long as it is stored', async () => {
    await code().put(id, payload(), 60);
    const spentAt = clock.now();
    await code().spend(id, keepSeconds);
    for (const seconds of [0, 59, 2, 530]) {
      clock.advance(seconds * 1000);
      expect(await code().find(id)).toEqual({ payload: payload({ exp: expect.any(Number) }), spentAt });
      expect(await code().spend(id, keepSeconds)).toMatchObject({ outcome: 'lost' });
    }
    clock.advance(10_000);
    expect(await code().find(id)).toBeUndefined();
  });
});

describe("the library's adapters", () => {
  const services = () => ({
    store,
    clock,
    keys: createServerKeys([secrets.first]),
    config: loadConfig({ env: {} }),
    clients: {
      all: () => [],
      find: () => undefined,
      findAny: () => undefined,
      lookup: async () => undefined,
      mayBeThirdParty: () => false,
      isOriginOf: () => false,
      metadata: () => undefined,
      secretMatches: () => false,
    },
    revocation: { endFamily: async (familyId: string) => void ended.push(familyId) } as never,
    denylist: { preload: async () => {} } as never,
    reads: { notices: () => [] } as never,
  });
  let ended: string[];
  beforeEach(() => {
    ended = [];
  });

  test('return the payload of artifacts that cannot be spent', async () => {
    const adapter = artifactAdapter(artifacts('Session'));
    await adapter.upsert(id, payload({ uid: 'u1', accountId: 'user_1' }), 60);
    expect(await adapter.find(id)).toEqual(payload({ uid: 'u1', accountId: 'user_1' }));
    expect(await adapter.findByUid('u1')).toEqual(payload({ uid: 'u1', accountId: 'user_1' }));
  });

  test('return a spent code as unspent and unexpired, so that the redemption refuses the repeat', async () => {
    const adapter = createCodeAdapter(services(), { kind: 'AuthorizationCode', name: 'authorization code' });
    await adapter.upsert(id, payload({ familyId: 'fam_1' }), 60);
    await adapter.consume(id);
    for (const seconds of [0, 59, 2]) {
      clock.advance(seconds * 1000);
      const found = await adapter.find(id);
      expect(found).not.toHaveProperty('consumed');
      expect(found?.exp).toBeGreaterThan(clock.now() / 1000);
      await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' });
    }
    expect(ended).toContain('fam_1');
  });

  test('refuse an unknown code', async () => {
    const adapter = createCodeAdapter(services(), { kind: 'AuthorizationCode', name: 'authorization code' });
    await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(ended).toEqual([]);
  });

  const unused = undefined as never;

  test('return a spent pushed request as spent, so that the library refuses it', async () => {
    const adapter = createPushedRequestAdapter({ ...services(), rateLimits: unused });
    await adapter.upsert(id, payload(), 60);
    expect(await adapter.find(id)).not.toHaveProperty('consumed');
    await adapter.consume(id);
    expect(await adapter.find(id)).toEqual({ ...payload(), consumed: Math.floor(clock.now() / 1000) });
    await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_request_uri' });
  });
});

describe('when the server secrets change', () => {
  test('an artifact of an older secret is found, spent and destroyed', async () => {
    await code(secrets.first).put(id, payload(), 60);
    const both = () => code(secrets.second, secrets.first);
    expect(await both().find(id)).toMatchObject({ payload: payload() });
    expect(await both().spend(id, keepSeconds)).toEqual({ outcome: 'won' });
    expect(await both().spend(id, keepSeconds)).toMatchObject({ outcome: 'lost' });
    expect(await code(secrets.first).spend(id, keepSeconds)).toMatchObject({ outcome: 'lost' });
    await both().destroy(id);
    expect(await both().find(id)).toBeUndefined();
  });

  test('an artifact that is saved again uses the new secret', async () => {
    const both = () => artifacts('Session', secrets.second, secrets.first);
    await artifacts('Session', secrets.first).put(
      id,
      payload({ uid: 'u1', accountId: 'user_1', version: 1 }),
      60,
    );
    expect(await both().findByIndex('u1')).toMatchObject({ payload: { version: 1 } });
    await both().put(id, payload({ uid: 'u1', accountId: 'user_1', version: 2 }), 60);
    expect(await artifacts('Session', secrets.second).find(id)).toMatchObject({ payload: { version: 2 } });
    expect(await both().findByIndex('u1')).toMatchObject({ payload: { version: 2 } });
  });

  test('an artifact of a dropped secret is not found', async () => {
    await code(secrets.first).put(id, payload(), 60);
    expect(await code(secrets.second).find(id)).toBeUndefined();
  });
});
