import { generateKey } from '../../keys/generate-key.ts';
import { serializeKeySet } from '../../keys/key-set.ts';
import { firstKeySet } from '../../keys/rotation.ts';
import { systemClock } from '../../lib/clock.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { isoTime } from '../cli/table.ts';
import { withKeyStore } from './with-key-store.ts';

/** `gatehouse keys create`. Does not change anything that already exists. */
export async function createKeys({ out }: { out?: string | undefined }, output: Output): Promise<void> {
  const reference = out === undefined ? undefined : `file:${out}`;
  await withKeyStore(
    async ({ store, place }) => {
      const set = firstKeySet(await generateKey(), systemClock.now());
      if (!(await store.save(serializeKeySet(set), undefined))) {
        const advice =
          out === undefined ? 'It is left as it is.' : 'Name another file, or move that one away.';
        throw new CommandFailure('cannotCreate', `${out ?? place} is there already. ${advice}`, {
          code: 'exists',
        });
      }
      const [{ kid, signsFrom } = { kid: '', signsFrom: 0 }] = set.keys;
      output.result({ kid, signsFrom: isoTime(signsFrom), store: place }, `Key ${kid} is in ${place}.`);
      output.note('It is a private key: keep it as a secret, and keep a backup.');
    },
    { reference },
  );
}
