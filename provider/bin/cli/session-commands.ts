import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

const who = ['<account>', 'its address or id'] as const;

/** `sessions list|end`. */
export function addSessionCommands(program: CliCommand): void {
  const sessions = program
    .command('sessions')
    .description('Where people are signed in, by a browser or by an app that holds tokens.')
    .example('gatehouse sessions list ann@example.com');

  sessions
    .command('list')
    .description(
      'Show where an account is signed in. An app below a browser ends with it. Needs the Redis and the server secrets of the servers.',
    )
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse sessions list ann@example.com')
    .example('gatehouse sessions list ann@example.com --json')
    .action(async (account: string, options: { json?: boolean }) => {
      const { listSessions } = await import('../commands/list-sessions.ts');
      await listSessions(account, commandOutput(options));
    });

  sessions
    .command('end')
    .description(
      'Sign an account out, in one place, at one client or everywhere. Its tokens from there are refused by every server at once; what trusts a token without asking, like API Gateway, does so until it expires. Say which: --session, --client or --all.',
    )
    .argument(...who)
    .option('--session <id...>', 'these, by the ids that list shows', [])
    .option(
      '--client <id>',
      'the apps of this client; a browser that stays signed in may sign in to it again',
    )
    .option('--all', 'everything, listed or not: every token the account was issued is dead', false)
    .option(...jsonOption)
    .example('gatehouse sessions end ann@example.com --session fam_V1StGXR8Z5jdHi6BmyTn1A')
    .example('gatehouse sessions end ann@example.com --client shop')
    .example('gatehouse sessions end ann@example.com --all')
    .action(async (account: string, options: EndFlags) => {
      const { endSessions } = await import('../commands/end-sessions.ts');
      await endSessions(account, options, commandOutput(options));
    });
}

interface EndFlags {
  session: string[];
  client?: string;
  all: boolean;
  json?: boolean;
}
