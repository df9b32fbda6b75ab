import { InvalidArgumentError, Option } from 'commander';
import type { ClientKind } from '../commands/new-client.ts';
import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';
import { addRegistrationCommands } from './registration-commands.ts';

interface Common {
  json?: boolean;
}

interface FileFlags extends Common {
  file: string;
  apis?: string;
}

interface ApplyFlags extends FileFlags {
  owner: string;
  prune: boolean;
  fromFile: boolean;
}

const fileOption = [
  '-f, --file <file>',
  'a file with clients, a folder of such files (*.yaml, *.yml), or - for standard input',
] as const;
const apisOption = [
  '--apis <file>',
  'the file with the APIs whose scopes they name; GATEHOUSE_APIS_FILE unless given',
] as const;
const ownerOption = [
  '--owner <label>',
  'the owner of these clients; other owners cannot change them. `default` unless given',
  'default',
] as const;
const folderOption = [
  '--secrets-dir <folder>',
  'write new secrets to files ID.secret there, with mode 0600, instead of showing them',
] as const;
const kinds: ClientKind[] = ['web', 'spa', 'native', 'service', 'first-party'];
const who = ['<id>', 'the client id'] as const;

/** `clients validate|new|diff|apply|list|show|delete|rotate-secret|new-secret|end-secret`. */
export function addClientCommands(program: CliCommand): void {
  const clients = program
    .command('clients')
    .description('Apps that people sign in to.')
    .example('gatehouse clients validate -f clients.yaml')
    .example('gatehouse clients apply -f clients.yaml');
  addValidate(clients);
  addNew(clients);
  addApply(clients);
  addReading(clients);
  addDelete(clients);
  addSecrets(clients);
}

function addValidate(clients: CliCommand): void {
  clients
    .command('validate')
    .description(
      'Check client documents; list everything that is wrong, with file, client and place. Reads no secret.',
    )
    .requiredOption(...fileOption)
    .option(...apisOption)
    .option('--for-apply', 'check for clients apply, which generates a secret where none is named', false)
    .option(...jsonOption)
    .example('gatehouse clients validate -f clients.yaml --apis apis.yaml')
    .action(async (options: FileFlags & { forApply: boolean }) => {
      const { validateClients } = await import('../commands/validate-clients.ts');
      await validateClients(options, commandOutput(options));
    });

  addRegistrationCommands(clients);
}

interface NewFlags extends Common {
  kind: ClientKind;
  redirectUri: string[];
  scope: string[];
  apis?: string;
}

function addNew(clients: CliCommand): void {
  clients
    .command('new')
    .description(
      'Print a client document for an app of this kind, and beside it, on standard error, what to paste into the app. Makes the secret, if there is one, and shows it only once. Stores nothing.',
    )
    .argument('<name>', 'what people read; the client id is made from it: My Shop becomes my-shop')
    .addOption(new Option('--kind <kind>', 'what kind of app it is').choices(kinds).makeOptionMandatory())
    .option(
      '--redirect-uri <uri...>',
      'where people return to after signing in, exactly. A native app has http://127.0.0.1/callback, with any port, unless given',
      [],
    )
    .option(
      '--scope <scope...>',
      'scopes of APIs that the app may ask for, in addition to those about people',
      [],
    )
    .option(...apisOption)
    .option(...jsonOption)
    .example(
      'gatehouse clients new "My Shop" --kind web --redirect-uri https://shop.example.com/callback > my-shop.yaml',
    )
    .example(
      'gatehouse clients new nightly-report --kind service --scope contracts:read > nightly-report.yaml',
    )
    .action(async (name: string, { kind, redirectUri, scope, apis, json }: NewFlags) => {
      const { newClient } = await import('../commands/new-client.ts');
      await newClient(
        { name, kind, redirectUris: redirectUri, scopes: scope, apis },
        commandOutput({ json: json ?? false }),
      );
    });
}

const withApplyOptions = (command: CliCommand) =>
  command
    .requiredOption(...fileOption)
    .option(...apisOption)
    .option(...ownerOption)
    .option('--prune', 'delete the clients of this owner that are not in the file', false)
    .option(
      '--from-file',
      'take over clients that the file of the servers defines too. The store is used before the file, so they can then be removed there',
      false,
    );

function addApply(clients: CliCommand): void {
  withApplyOptions(clients.command('diff'))
    .description(
      'Show what clients apply would change, field by field and without secrets. Ends with 2 if something would change, and with 0 if not.',
    )
    .option(...jsonOption)
    .example('gatehouse clients diff -f clients.yaml')
    .example('gatehouse clients diff -f clients/ --owner shop-team --prune --json')
    .action(async (options: ApplyFlags) => {
      const { diffClients } = await import('../commands/apply-clients.ts');
      await diffClients(options, commandOutput(options));
    });

  withApplyOptions(clients.command('apply'))
    .description(
      'Make the clients of an owner in the database as the file has them, all or none. Servers use them within two seconds. A second run changes nothing. A client that uses a secret and names none gets one, which is shown once. Everything that was issued to a client that is deleted or disabled ends.',
    )
    .option('--dry-run', 'show what would change and write nothing', false)
    .option(...folderOption)
    .option(...jsonOption)
    .example('gatehouse clients apply -f clients.yaml')
    .example('gatehouse clients apply -f clients/ --owner shop-team --prune --secrets-dir new-secrets')
    .action(async (options: ApplyFlags & { dryRun: boolean; secretsDir?: string }) => {
      const { applyClients } = await import('../commands/apply-clients.ts');
      await applyClients(options, commandOutput(options));
    });
}

function addReading(clients: CliCommand): void {
  clients
    .command('list')
    .description('Show the clients in the database, and the ids of those in the file of the servers.')
    .option('--owner <label>', 'only those of this owner')
    .option(...jsonOption)
    .example('gatehouse clients list')
    .action(async (options: Common & { owner?: string }) => {
      const { listClients } = await import('../commands/list-clients.ts');
      await listClients(options, commandOutput(options));
    });

  clients
    .command('show')
    .description('Show one client in the database, without its secrets.')
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse clients show shop')
    .action(async (id: string, options: Common) => {
      const { showClient } = await import('../commands/list-clients.ts');
      await showClient(id, commandOutput(options));
    });
}

function addDelete(clients: CliCommand): void {
  clients
    .command('delete')
    .description('Delete a client from the database. Everything it was issued ends, on every server.')
    .argument(...who)
    .option(...ownerOption)
    .option(
      '--force',
      'delete it also if it has another owner. An operator that still runs writes it again',
      false,
    )
    .option(...jsonOption)
    .example('gatehouse clients delete shop')
    .action(async (id: string, options: Common & { owner: string; force: boolean }) => {
      const { deleteClient } = await import('../commands/change-client.ts');
      await deleteClient({ ...options, id }, commandOutput(options));
    });
}

interface SecretFlags extends Common {
  owner: string;
  secretsDir?: string;
}

const dayMs = 86_400_000;
const longestSpanDays = 90;

function spanMs(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  const factor = { s: 1000, m: 60_000, h: 3_600_000, d: dayMs }[unit];
  const ms = text === '0' ? 0 : factor === undefined ? Number.NaN : Number(number) * factor;
  if (ms <= longestSpanDays * dayMs) return ms;
  throw new InvalidArgumentError(`Give 0, or a number with s, m, h or d, up to ${longestSpanDays}d.`);
}

function addSecrets(clients: CliCommand): void {
  clients
    .command('rotate-secret')
    .description(
      'Give a client a new secret. The secret before it works for the overlap, so that the app can change without an outage.',
    )
    .argument(...who)
    .option(
      '--overlap <time>',
      'how long the secret before it works: 30m, 24h, 7d; 0 for a secret that leaked. 24h unless given',
      spanMs,
    )
    .option(...ownerOption)
    .option(...folderOption)
    .option(...jsonOption)
    .example('gatehouse clients rotate-secret shop --overlap 24h')
    .action(async (id: string, options: SecretFlags & { overlap?: number }) => {
      const { addClientSecret } = await import('../commands/change-client.ts');
      await addClientSecret({ ...options, id, overlapMs: options.overlap ?? dayMs }, commandOutput(options));
    });

  clients
    .command('new-secret')
    .description('Give a client a second secret. The first one works until clients end-secret.')
    .argument(...who)
    .option(...ownerOption)
    .option(...folderOption)
    .option(...jsonOption)
    .example('gatehouse clients new-secret shop --secrets-dir new-secrets')
    .action(async (id: string, options: SecretFlags) => {
      const { addClientSecret } = await import('../commands/change-client.ts');
      await addClientSecret({ ...options, id, overlapMs: undefined }, commandOutput(options));
    });

  clients
    .command('end-secret')
    .description('End the earlier of two secrets at once. The newest one stays.')
    .argument(...who)
    .option(...ownerOption)
    .option(...jsonOption)
    .example('gatehouse clients end-secret shop')
    .action(async (id: string, options: Common & { owner: string }) => {
      const { endClientSecret } = await import('../commands/change-client.ts');
      await endClientSecret({ ...options, id }, commandOutput(options));
    });
}
