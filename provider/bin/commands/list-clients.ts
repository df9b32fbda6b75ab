import { stringify } from 'yaml';
import { liveSecrets, namedSecrets } from '../../clients/stored-secrets.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { describeOwner, type StoredClient } from '../../ports/client-store.ts';
import type { Output } from '../cli/output.ts';
import { fieldList, isoTime, table } from '../cli/table.ts';
import { clientDocument, notFound } from './describe-clients.ts';
import { withStores } from './open-stores.ts';

const textOf = (value: unknown, unless = '') => (typeof value === 'string' ? value : unless);

function row(client: StoredClient): string[] {
  const { id, document, secrets, owner, updatedAt } = client;
  const working = namedSecrets(document) + liveSecrets(secrets, clock.now()).length;
  return [
    id,
    textOf(document.name),
    describeOwner(owner),
    textOf(document.auth, 'client_secret_basic'),
    document.enabled === false ? 'no' : 'yes',
    String(working),
    isoTime(updatedAt),
  ];
}

/** `gatehouse clients list`: the clients of the store, and the ids of those in the file of the servers. */
export async function listClients({ owner }: { owner?: string | undefined }, output: Output): Promise<void> {
  await withStores({}, async ({ ports, clientWrites }) => {
    const all = await ports.clients.all();
    const clients = owner === undefined ? all : all.filter((one) => one.owner.name === owner);
    const inFile = owner === undefined ? [...(await clientWrites.fileIds())] : [];
    const rows = [
      ...clients.map(row),
      ...inFile.map((id) => [id, '', 'the file of the servers', '', '', '', '']),
    ];
    const headings = ['id', 'name', 'owner', 'auth', 'enabled', 'secrets', 'changed'];
    const document = {
      clients: clients.map((client) => {
        const { id, owner, document, generatedSecrets, updatedAt } = clientDocument(client);
        const { name = null, auth = 'client_secret_basic', enabled = true } = document;
        return { id, name, owner, auth, enabled, generatedSecrets, updatedAt };
      }),
      inFile,
    };
    output.result(document, rows.length === 0 ? 'There are no clients.' : table(headings, rows));
  });
}

/** `gatehouse clients show`. */
export async function showClient(id: string, output: Output): Promise<void> {
  await withStores({}, async ({ ports, clientWrites }) => {
    const client = await ports.clients.find(id);
    if (client === undefined) throw notFound(id, (await clientWrites.fileIds()).has(id));
    const document = clientDocument(client);
    const secrets = document.generatedSecrets.map(({ notAfter }) =>
      notAfter === null ? 'without an end' : `until ${notAfter}`,
    );
    const fields = fieldList({
      Owner: describeOwner(client.owner),
      Changed: document.updatedAt,
      'Generated secrets': secrets.join(', ') || 'none',
    });
    output.result(document, `${fields}\n---\n${stringify(document.document)}`);
  });
}
