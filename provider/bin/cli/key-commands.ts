import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

const dryRunOption = ['--dry-run', 'show what would change and write nothing', false] as const;

interface ChangeOptions {
  dryRun: boolean;
  json?: boolean;
}

/** `keys create|list|rotate|retire|import|export`. */
export function addKeyCommands(program: CliCommand): void {
  const keys = program.command('keys').description('Keys that sign tokens.').example('gatehouse keys list');

  keys
    .command('create')
    .description(
      'Make a first set of signing keys where there is none. The private key is written there and shown nowhere.',
    )
    .option('--out <file>', 'a new file, with mode 0600; the store that GATEHOUSE_KEYS names unless given')
    .option(...jsonOption)
    .example('gatehouse keys create --out keys.json')
    .action(async (options: { out?: string; json?: boolean }) => {
      const { createKeys } = await import('../commands/create-keys.ts');
      await createKeys(options, commandOutput(options));
    });

  keys
    .command('list')
    .description(
      'Show the keys of the configured store, which of them signs and when that changes. Nothing private.',
    )
    .option(...jsonOption)
    .example('gatehouse keys list')
    .action(async (options: { json?: boolean }) => {
      const { listKeys } = await import('../commands/list-keys.ts');
      await listKeys(commandOutput(options));
    });

  keys
    .command('rotate')
    .description(
      'Add a signing key. It is published at once and signs after GATEHOUSE_KEY_LEAD_SECONDS. No token is refused, and no server needs a restart.',
    )
    .option('--kms <key>', 'the ARN, id or alias of an RSA key in AWS KMS, to sign with that key')
    .option(...dryRunOption)
    .option(...jsonOption)
    .example('gatehouse keys rotate')
    .action(async (options: ChangeOptions & { kms?: string }) => {
      const { rotateKeys } = await import('../commands/change-keys.ts');
      await rotateKeys(options, commandOutput(options));
    });

  keys
    .command('retire')
    .description(
      'End the use of a key. It stays published until its last token has expired, and the signing key signs until another key can. With --now, for a key that leaked, it is removed at once, and its tokens are refused.',
    )
    .argument('<kid>', 'the id of the key, as gatehouse keys list shows it')
    .option('--now', 'remove the key at once and refuse its tokens', false)
    .option(...dryRunOption)
    .option(...jsonOption)
    .example('gatehouse keys retire 1sU8QlN1tPzFWHJnU2cXqLbOHBfWmO2pT3mGQ0R4VdE --now --dry-run')
    .action(async (kid: string, options: ChangeOptions & { now: boolean }) => {
      const { retireKey } = await import('../commands/change-keys.ts');
      const { dryRun, now } = options;
      await retireKey({ kid, now, dryRun }, commandOutput(options));
    });

  keys
    .command('import')
    .description(
      'Take over keys from a file: a key set of Gatehouse, a private JWK or JWK Set, or a private key in PEM. In an empty store the first key signs at once, and the others are published until their tokens have expired. One key can be added to a store that has keys; it then signs after GATEHOUSE_KEY_LEAD_SECONDS.',
    )
    .argument('<file>', 'a file that only its owner may read')
    .option(...dryRunOption)
    .option(...jsonOption)
    .example('gatehouse keys import keys.json --dry-run')
    .action(async (file: string, options: ChangeOptions) => {
      const { importKeys } = await import('../commands/change-keys.ts');
      await importKeys({ file, dryRun: options.dryRun }, commandOutput(options));
    });

  keys
    .command('export')
    .description(
      'Print the public keys as a JWK Set, exactly as the servers publish them. Private keys are not exported: copy the file or the secret instead.',
    )
    .requiredOption('--public', 'the public keys, which are all that can be exported')
    .option(...jsonOption)
    .example('gatehouse keys export --public')
    .action(async (options: { json?: boolean }) => {
      const { exportKeys } = await import('../commands/list-keys.ts');
      await exportKeys(commandOutput(options));
    });
}
