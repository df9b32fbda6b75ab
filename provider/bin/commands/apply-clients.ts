import { digestOf } from '../../clients/stored-secrets.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { type NewSecret, SecretFolder } from '../cli/secret-folder.ts';
import { changeDocument, describePlan, explainTaken, ownerOf, takenFailure } from './describe-clients.ts';
import { type Stores, withStores } from './open-stores.ts';
import { type ClientFiles, readWantedClients } from './read-clients.ts';

export interface ApplyOptions extends ClientFiles {
  owner: string;
  prune: boolean;
  fromFile: boolean;
}

const planned = { create: 'would be created', update: 'would change', delete: 'would be deleted' };
const written = { create: 'created', update: 'changed', delete: 'deleted' };

async function requestOf({ prune, fromFile, ...options }: ApplyOptions) {
  return { owner: ownerOf(options.owner), wanted: await readWantedClients(options), prune, fromFile };
}

/** Shows what `apply` would do. Gives the number of changes. Throws a CommandFailure for clients of others. */
async function showPlan(options: ApplyOptions, output: Output, more: object = {}): Promise<number> {
  const request = await requestOf(options);
  const plan = await withStores({ apisFile: options.apis }, ({ clientWrites }) => clientWrites.plan(request));
  const { changes, unchanged, conflicts } = plan;
  if (conflicts.length > 0) throw takenFailure(conflicts);
  const document = {
    owner: options.owner,
    ...more,
    changes: changes.map(changeDocument),
    unchanged: unchanged.length,
  };
  output.result(document, describePlan(plan, planned));
  return changes.length;
}

/** `gatehouse clients diff`. Ends with `differs` when something would change. */
export async function diffClients(options: ApplyOptions, output: Output): Promise<void> {
  if ((await showPlan(options, output)) > 0) throw new CommandFailure('differs', '', { code: 'differs' });
}

/** A folder for secrets of the clients in these stores. */
export function secretFolderOf(folder: string, { ports }: Pick<Stores, 'ports'>): SecretFolder {
  return new SecretFolder(folder, async (clientId, secret) => {
    const client = await ports.clients.find(clientId);
    return client?.secrets.some(({ sha256 }) => sha256 === digestOf(secret)) ?? false;
  });
}

/** The new secrets, for the output. With a folder, their files. */
export async function giveOut(secrets: readonly NewSecret[], folder: SecretFolder | undefined) {
  if (folder === undefined)
    return secrets.map(({ clientId, secret }) => ({
      document: { client: clientId, secret },
      text: `Secret of ${clientId}, which is shown only now: ${secret}\n`,
    }));
  await folder.publish(secrets);
  return secrets.map(({ clientId }) => ({
    document: { client: clientId, file: folder.pathOf(clientId) },
    text: `The secret of ${clientId} is in ${folder.pathOf(clientId)}.\n`,
  }));
}

/** `gatehouse clients apply`. */
export async function applyClients(
  options: ApplyOptions & { dryRun: boolean; secretsDir?: string | undefined },
  output: Output,
): Promise<void> {
  const { dryRun, secretsDir, apis } = options;
  if (dryRun) return void (await showPlan(options, output, { dryRun }));
  const request = await requestOf(options);
  await withStores({ redis: true, apisFile: apis }, async (stores) => {
    const folder = secretsDir === undefined ? undefined : secretFolderOf(secretsDir, stores);
    const completed = (await folder?.recover()) ?? [];
    for (const path of completed)
      output.note(`${path} holds the secret of an earlier run that was interrupted.`);
    const { plan, secrets } = await explainTaken(() =>
      stores.clientWrites.apply(request, async (fresh) => folder?.keep(fresh)),
    ).catch(async (error: unknown) => {
      await folder?.discard();
      throw error;
    });
    const given = await giveOut(secrets, folder);
    const document = {
      owner: options.owner,
      dryRun,
      changes: plan.changes.map(changeDocument),
      unchanged: plan.unchanged.length,
      secrets: given.map((one) => one.document),
    };
    output.result(document, `${describePlan(plan, written)}${given.map(({ text }) => text).join('')}`);
  });
}
