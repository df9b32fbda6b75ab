import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `events failed` and `logouts failed`. */
export function addEventCommands(program: CliCommand): void {
  const events = program
    .command('events')
    .description('Events that are published to other systems.')
    .example('gatehouse events failed');

  events
    .command('failed')
    .description(
      'Show the events that were set aside: the sink refused them, or they failed too often while others were published. They are kept until you retry them.',
    )
    .option('--retry', 'publish them again, once more with all attempts', false)
    .option('--id <id...>', 'only these, by the ids that this command shows')
    .option(...jsonOption)
    .example('gatehouse events failed --json')
    .example('gatehouse events failed --retry')
    .example('gatehouse events failed --retry --id evt_V1StGXR8Z5jdHi6BmyTn1A')
    .action(async (options: { retry: boolean; id?: string[]; json?: boolean }) => {
      const { failedEvents } = await import('../commands/failed-deliveries.ts');
      await failedEvents(options, commandOutput(options));
    });

  const logouts = program
    .command('logouts')
    .description('Logout tokens that are sent to apps (OpenID Connect Back-Channel Logout).')
    .example('gatehouse logouts failed');

  logouts
    .command('failed')
    .description(
      'Show the logout tokens that apps did not accept: the app refused the token, or could not be reached for a day. The person may still be signed in there. They are kept for 30 days.',
    )
    .option('--retry', 'send them again, for a day more', false)
    .option('--id <id...>', 'only these, by the ids that this command shows')
    .option(...jsonOption)
    .example('gatehouse logouts failed --json')
    .example('gatehouse logouts failed --retry')
    .example('gatehouse logouts failed --retry --id logout_3b1f8a0c5d2e4f6a9b7c1d0e2f3a4b5c')
    .action(async (options: { retry: boolean; id?: string[]; json?: boolean }) => {
      const { failedLogouts } = await import('../commands/failed-deliveries.ts');
      await failedLogouts(options, commandOutput(options));
    });
}
