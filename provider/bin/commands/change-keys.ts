import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint } from 'jose';
import { openRemoteSigner } from '../../compose/adapters.ts';
import { generateKey } from '../../keys/generate-key.ts';
import { importedSet, parseImportedKeys } from '../../keys/imported-keys.ts';
import { type KeySet, serializeKeySet } from '../../keys/key-set.ts';
import { type Retirement, remove, retire } from '../../keys/retirement.ts';
import { changeStoredKeySet, type NewKey, rotated } from '../../keys/rotation.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { refuseReadableByOthers } from '../../lib/secret-files.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { isoTime } from '../cli/table.ts';
import { keyDocuments } from './list-keys.ts';
import { type OpenKeys, withKeyStore } from './with-key-store.ts';

const lost = () =>
  new CommandFailure(
    'unavailable',
    'Another process changed the keys at the same time, so nothing was written. Look with gatehouse keys list, and run this again if it is still needed.',
    { code: 'conflict' },
  );

interface Report {
  dryRun: boolean;
  outcome: string;
  set: KeySet | undefined;
  text: string;
}

function report({ dryRun, outcome, set, text }: Report, { config }: OpenKeys, output: Output): void {
  const keys = set === undefined ? {} : { keys: keyDocuments(set, clock.now(), config) };
  output.result({ dryRun, outcome, ...keys }, dryRun ? `A dry run, nothing was written. ${text}` : text);
}

/** A key in KMS as an entry of the set. It makes one signature, so that a missing right is found before the key is used. */
async function kmsKey(set: KeySet, name: string): Promise<NewKey> {
  const remote = openRemoteSigner();
  const kms = await remote.describe(name);
  const jwk = { kty: 'RSA', n: kms.n, e: kms.e };
  const kid = await calculateJwkThumbprint(jwk, 'sha256');
  if (set.keys.some((key) => key.kid === kid))
    throw new CommandFailure('cannotCreate', `The KMS key ${kms.arn} is in the key set already.`, {
      code: 'exists',
    });
  const text = Buffer.from('gatehouse keys rotate');
  const signature = await remote.sign(kms.arn, createHash('sha256').update(text).digest());
  if (!verify('sha256', text, createPublicKey({ key: jwk, format: 'jwk' }), signature))
    throw new CommandFailure('problems', `The signature of the KMS key ${kms.arn} is wrong.`, {
      code: 'bad_signature',
    });
  return { kid, kms };
}

/** `gatehouse keys rotate`. */
export async function rotateKeys(
  { dryRun, kms }: { dryRun: boolean; kms?: string | undefined },
  output: Output,
): Promise<void> {
  await withKeyStore(async (keys) => {
    const change = async (set: KeySet) => {
      const key = kms === undefined ? await generateKey() : await kmsKey(set, kms);
      return { ...rotated(set, key, clock.now(), keys.times.leadSeconds), kid: key.kid };
    };
    const result = await changeStoredKeySet({ ...keys, clock }, change, { dryRun });
    if (result.outcome === 'lost') throw lost();
    const { outcome, set, signsFrom, kid } = result;
    const text =
      dryRun && kms === undefined
        ? `A new key would be published now and sign from ${isoTime(signsFrom)} on.`
        : `Key ${kid} is published now and signs from ${isoTime(signsFrom)} on.`;
    report({ dryRun, outcome, set, text }, keys, output);
  });
}

/** `gatehouse keys retire`. With `now`, the key is removed at once. */
export async function retireKey(
  { kid, now: atOnce, dryRun }: { kid: string; now: boolean; dryRun: boolean },
  output: Output,
): Promise<void> {
  await withKeyStore(async (keys) => {
    const { leadSeconds } = keys.times;
    const end = atOnce ? remove : retire;
    const change = async (set: KeySet) => {
      const successor = await generateKey();
      return end(set, { kid, now: clock.now(), successor, leadSeconds });
    };
    const result = await changeStoredKeySet({ ...keys, clock }, change, { dryRun });
    if (result.outcome === 'lost') throw lost();
    if (result.outcome === 'unknown')
      throw new GatehouseError(
        'not_found',
        `There is no key ${kid} in ${keys.place}. See gatehouse keys list.`,
      );
    const text = retirementText(kid, result, leadSeconds);
    const set = 'set' in result ? result.set : undefined;
    report({ dryRun, outcome: result.outcome, set, text }, keys, output);
  });
}

function retirementText(kid: string, retirement: Retirement, leadSeconds: number): string {
  switch (retirement.outcome) {
    case 'unknown':
      return '';
    case 'unchanged':
      return `Nothing to do: key ${kid} retires at ${isoTime(retirement.retiredAt)}, and stays published until its tokens have expired. To remove it at once, add --now.`;
    case 'replaced':
      return `Key ${kid} signs until ${isoTime(retirement.retiredAt)}, and a new key then.`;
    case 'withdrawn':
      return `Key ${kid} will not sign.`;
    case 'removed': {
      const { kid: signing, publishedAt } = retirement.signing;
      const isKnown = clock.now() - publishedAt >= leadSeconds * 1000;
      const warning = `Key ${signing} was published only at ${isoTime(publishedAt)}: API Gateway refuses its tokens until it reads the keys again, up to 2 hours later.`;
      return `Key ${kid} is removed, and every token that it signed is refused here. Key ${signing} signs now. ${isKnown ? '' : warning}`.trim();
    }
  }
}

async function readKeyFile(path: string): Promise<string> {
  try {
    refuseReadableByOthers(path, 'private keys');
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandFailure('configuration', `${path} can't be read (${code}).`, { code: 'configuration' });
  }
}

/** `gatehouse keys import`. Into an empty store, or one key in addition to the keys that are there. */
export async function importKeys(
  { file, dryRun }: { file: string; dryRun: boolean },
  output: Output,
): Promise<void> {
  const imported = await parseImportedKeys(await readKeyFile(file));
  await withKeyStore(async (keys) => {
    const { store, place, times } = keys;
    if ((await store.load()) === undefined) {
      const set = 'set' in imported ? imported.set : importedSet(imported.keys, clock.now());
      if (!dryRun && !(await store.save(serializeKeySet(set), undefined))) throw lost();
      const count = `${set.keys.length} ${set.keys.length === 1 ? 'key is' : 'keys are'}`;
      return report({ dryRun, outcome: 'created', set, text: `${count} in ${place}.` }, keys, output);
    }
    const [key, ...more] = 'keys' in imported ? imported.keys : [];
    if (key === undefined || more.length > 0) {
      throw new CommandFailure(
        'cannotCreate',
        `${place} has keys already, and only one key can be added to them. Import a file with one JWK, or name an empty store.`,
        { code: 'exists' },
      );
    }
    const change = (set: KeySet) =>
      set.keys.some(({ kid }) => kid === key.kid)
        ? { outcome: 'unchanged' as const }
        : rotated(set, key, clock.now(), times.leadSeconds);
    const result = await changeStoredKeySet({ ...keys, clock }, change, { dryRun });
    if (result.outcome === 'lost') throw lost();
    const text =
      result.outcome === 'unchanged'
        ? `Nothing to do: key ${key.kid} is there.`
        : `Key ${key.kid} is published now and signs from ${isoTime(result.signsFrom)} on.`;
    const set = result.outcome === 'unchanged' ? undefined : result.set;
    report({ dryRun, outcome: result.outcome, set, text }, keys, output);
  });
}
