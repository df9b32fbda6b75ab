import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `keys create|list`. */
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
}
