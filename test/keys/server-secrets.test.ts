import { expect, test } from '@jest/globals';
import { openServerSecrets, type SecretList } from '../../provider/keys/server-secrets.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createManualClock } from '../support/manual-clock.ts';

const [one, two, three] = ['1'.repeat(43), '2'.repeat(43), '3'.repeat(43)] as const;
const minute = 60_000;

async function open(...first: SecretList) {
  const clock = createManualClock();
  let stored: SecretList = first;
  let listen = () => {};
  const warnings: string[] = [];
  const logger = { info: () => {}, warn: (_: unknown, text?: string) => void warnings.push(text ?? '') };
  const secrets = await openServerSecrets({ read: async () => stored, clock, logger: logger as never });
  secrets.onChange(() => listen());
  const store = async (...next: SecretList) => {
    stored = next;
    await secrets.refresh();
  };
  /** The secrets that can open what is sealed now. */
  const sealing = () => {
    const sealed = secrets.keys.seal('context', 'text');
    return [one, two, three].filter(
      (secret) => createServerKeys([secret]).open('context', sealed) === 'text',
    );
  };
  const opens = (secret: string) =>
    secrets.keys.open('context', createServerKeys([secret]).seal('context', 'text')) === 'text';
  const onChange = (work: () => void) => {
    listen = work;
  };
  return { secrets, clock, store, sealing, opens, onChange, warnings };
}

test('a new secret in front opens at once, and seals when this process has known it for five minutes', async () => {
  const { secrets, clock, store, sealing, opens } = await open(one);
  await store(two, one);
  expect([opens(one), opens(two), sealing()]).toEqual([true, true, [one]]);
  clock.advance(5 * minute - 1);
  await secrets.refresh();
  expect(sealing()).toEqual([one]);
  clock.advance(1);
  await secrets.refresh();
  expect([opens(one), opens(two), sealing()]).toEqual([true, true, [two]]);
});

test('a secret that was added behind the current one seals as soon as it is moved to the front', async () => {
  const { clock, store, sealing } = await open(one);
  await store(one, two);
  clock.advance(5 * minute);
  await store(one, two);
  expect(sealing()).toEqual([one]);
  await store(two, one);
  expect(sealing()).toEqual([two]);
});

test('a secret that was taken away and comes back counts as new', async () => {
  const { clock, store, sealing } = await open(one);
  await store(one, two);
  clock.advance(5 * minute);
  await store(one);
  await store(two, one);
  expect(sealing()).toEqual([one]);
});

test('a list without any earlier secret is used at once', async () => {
  const { store, sealing, opens } = await open(one, two);
  await store(three);
  expect([opens(one), opens(two), sealing()]).toEqual([false, false, [three]]);
});

test('at the start, the first secret seals', async () => {
  const { sealing, opens } = await open(two, one);
  expect([sealing(), opens(one)]).toEqual([[two], true]);
});

test('listeners hear of a change once, and again when one of them failed', async () => {
  const { secrets, store, onChange, warnings } = await open(one);
  let calls = 0;
  onChange(() => {
    calls += 1;
    if (calls === 1) throw new Error('not now');
  });
  await store(one, two);
  await secrets.refresh();
  await secrets.refresh();
  expect(calls).toBe(2);
  expect(warnings).toEqual(['new server secrets not in use yet, trying again']);
});
