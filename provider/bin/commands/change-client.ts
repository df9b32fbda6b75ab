import type { ClientWrites } from '../../clients/apply-clients.ts';
import {
  addSecret,
  digestOf,
  generateClientSecret,
  liveSecrets,
  type SecretProblem,
} from '../../clients/stored-secrets.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { StoredClient } from '../../ports/client-store.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { giveOut, secretFolderOf } from './apply-clients.ts';
import { clientDocument, explainTaken, notFound, ownerOf } from './describe-clients.ts';
import { type Stores, withStores } from './open-stores.ts';

export interface OwnedClient {
  id: string;
  owner: string;
}

async function requireClient(id: string, { ports, clientWrites }: Stores): Promise<StoredClient> {
  const client = await ports.clients.find(id);
  if (client !== undefined) return client;
  throw notFound(id, (await clientWrites.fileIds()).has(id));
}

/** `gatehouse clients delete`. With `force`, it may have any owner. */
export async function deleteClient(
  { id, owner, force }: OwnedClient & { force: boolean },
  output: Output,
): Promise<void> {
  const named = ownerOf(owner);
  await withStores({ redis: true }, async (stores) => {
    const client = await requireClient(id, stores);
    await explainTaken(() => stores.clientWrites.delete(id, force ? client.owner : named));
    output.result({ id, deleted: true }, `${id} is deleted. Everything it was issued has ended.`);
  });
}

function secretFailure(id: string, found: SecretProblem): CommandFailure {
  if ('until' in found) {
    const until = found.until === undefined ? 'without an end' : `until ${found.until}`;
    const message = `${id} has two secrets that work, the earlier one ${until}. End it with gatehouse clients end-secret ${id}, or both at once with rotate-secret --overlap 0.`;
    return new CommandFailure('problems', message, { code: 'two_secrets' });
  }
  const message =
    found.problem === 'uses_no_secret'
      ? `${id} uses no secret: its document has another "auth".`
      : `The document of ${id} names its secrets: add the new one there, and apply it.`;
  return new CommandFailure('problems', message, { code: found.problem });
}

type Changes = ClientWrites['changeSecrets'];

async function changed(id: string, stores: Stores, change: () => ReturnType<Changes>): Promise<StoredClient> {
  const client = await explainTaken(change);
  return client ?? requireClient(id, stores);
}

export interface NewSecretOptions extends OwnedClient {
  /** How long the present secrets work, in milliseconds. Undefined: as long as before. */
  overlapMs: number | undefined;
  secretsDir?: string | undefined;
}

/** `gatehouse clients rotate-secret|new-secret`. */
export async function addClientSecret(options: NewSecretOptions, output: Output): Promise<void> {
  const { id, overlapMs, secretsDir } = options;
  const owner = ownerOf(options.owner);
  const secret = generateClientSecret();
  await withStores({}, async (stores) => {
    const folder = secretsDir === undefined ? undefined : secretFolderOf(secretsDir, stores);
    await folder?.recover();
    let isKept = false;
    const client = await changed(id, stores, () =>
      stores.clientWrites.changeSecrets(id, owner, async (found) => {
        const secrets = addSecret(found, digestOf(secret), { overlapMs, now: clock.now() });
        if ('problem' in secrets) throw secretFailure(id, secrets);
        if (!isKept) await folder?.keep([{ clientId: id, secret }]);
        isKept = true;
        return secrets;
      }),
    ).catch(async (error: unknown) => {
      await folder?.discard();
      throw error;
    });
    const [given] = await giveOut([{ clientId: id, secret }], folder);
    const { generatedSecrets } = clientDocument(client);
    const document = { ...given?.document, generatedSecrets };
    output.result(document, `${given?.text}${describeSecrets(client)}\n`);
  });
}

function describeSecrets({ secrets }: StoredClient): string {
  const [before] = secrets.length > 1 ? secrets : [];
  if (before === undefined) return 'It is the only secret that works.';
  return before.notAfter === undefined
    ? 'The secret before it works too, without an end: end it with gatehouse clients end-secret.'
    : `The secret before it works until ${before.notAfter}.`;
}

/** `gatehouse clients end-secret`: the newest secret stays. */
export async function endClientSecret({ id, owner }: OwnedClient, output: Output): Promise<void> {
  const named = ownerOf(owner);
  await withStores({}, async (stores) => {
    let ended = 0;
    const client = await changed(id, stores, () =>
      stores.clientWrites.changeSecrets(id, named, async ({ secrets }) => {
        const live = liveSecrets(secrets, clock.now());
        ended = Math.max(0, live.length - 1);
        return live.slice(-1);
      }),
    );
    const { generatedSecrets } = clientDocument(client);
    const text =
      ended === 0
        ? `${id} has no earlier secret that works.`
        : `The earlier secret of ${id} no longer works.`;
    output.result({ client: id, ended, generatedSecrets }, text);
  });
}
