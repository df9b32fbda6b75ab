import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `clients registration-token|registered|delete-registered`. @param clients the command that they belong to */
export function addRegistrationCommands(clients: CliCommand): void {
  clients
    .command('registration-token')
    .description(
      'Print an initial access token, with which apps may register themselves where GATEHOUSE_REGISTRATION is initial-access-token. It is shown once; only its digest is stored.',
    )
    .option('--expires <time>', 'how long it is valid: 30m, 12h or 7d, for example; 90d at most', '1d')
    .option(...jsonOption)
    .example('gatehouse clients registration-token --expires 7d')
    .action(async (options: { expires: string; json?: boolean }) => {
      const { createRegistrationToken } = await import('../commands/registered-clients.ts');
      await createRegistrationToken(options, commandOutput(options));
    });

  clients
    .command('registered')
    .description('List the apps that registered themselves, the newest first. Shows no secret.')
    .option(...jsonOption)
    .example('gatehouse clients registered')
    .action(async (options: { json?: boolean }) => {
      const { listRegistered } = await import('../commands/registered-clients.ts');
      await listRegistered(commandOutput(options));
    });

  clients
    .command('delete-registered')
    .description('Delete an app that registered itself, and revoke everything that it was issued.')
    .argument('<id>', 'the client id, as gatehouse clients registered shows it')
    .option(...jsonOption)
    .example('gatehouse clients delete-registered registered_3q2-7wEkz0h1b5Yp8mXv4A')
    .action(async (id: string, options: { json?: boolean }) => {
      const { deleteRegistered } = await import('../commands/registered-clients.ts');
      await deleteRegistered(id, commandOutput(options));
    });
}
