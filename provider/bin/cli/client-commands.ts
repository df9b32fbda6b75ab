import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `clients validate`. */
export function addClientCommands(program: CliCommand): void {
  const clients = program
    .command('clients')
    .description('Apps that people sign in to.')
    .example('gatehouse clients validate -f clients.yaml');

  clients
    .command('validate')
    .description(
      'Check a file of client documents; list everything that is wrong, with file, client and place. Reads no secret.',
    )
    .requiredOption('-f, --file <file>', 'the file with the clients')
    .option(
      '--apis <file>',
      'the file with the APIs whose scopes they name; GATEHOUSE_APIS_FILE unless given',
    )
    .option(...jsonOption)
    .example('gatehouse clients validate -f clients.yaml --apis apis.yaml')
    .action(async (options: { file: string; apis?: string; json?: boolean }) => {
      const { validateClients } = await import('../commands/validate-clients.ts');
      await validateClients(options, commandOutput(options));
    });
}
