import { openKeyStore } from '../../compose/adapters.ts';
import { loadConfig } from '../../config/load.ts';
import { generateKey } from '../../keys/generate-key.ts';
import { serializeKeySet } from '../../keys/key-set.ts';
import { firstKeySet } from '../../keys/rotation.ts';
import { systemClock } from '../../lib/clock.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { isoTime } from '../cli/table.ts';

/** `gatehouse keys create`. Does not change anything that already exists. */
export async function createKeys({ out }: { out?: string | undefined }, output: Output): Promise<void> {
  const config = loadConfig();
  const keys = out === undefined ? config.keys : `file:${out}`;
  const store = await openKeyStore({ ...config, keys });
  const where = keys ?? `the data folder ${config.dataFolder}`;
  const set = firstKeySet(await generateKey(), systemClock.now());
  if (!(await store.save(serializeKeySet(set), undefined))) {
    const advice = out === undefined ? 'It is left as it is.' : 'Name another file, or move that one away.';
    throw new CommandFailure('cannotCreate', `${out ?? where} is there already. ${advice}`, {
      code: 'exists',
    });
  }
  const [{ kid, signsFrom } = { kid: '', signsFrom: 0 }] = set.keys;
  output.result({ kid, signsFrom: isoTime(signsFrom), store: where }, `Key ${kid} is in ${where}.`);
  output.note('It is a private key: keep it as a secret, and keep a backup.');
}
