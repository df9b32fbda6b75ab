import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `events failed`. */
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
      const { failedEvents } = await import('../commands/failed-events.ts');
      await failedEvents(options, commandOutput(options));
    });
}
