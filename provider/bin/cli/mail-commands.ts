import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `mail test`, `mail failed`, `mail suppressed` and `mail unsuppress`. */
export function addMailCommands(program: CliCommand): void {
  const mail = program
    .command('mail')
    .description('Mails to people.')
    .example('gatehouse mail test --to me@example.com');

  mail
    .command('test')
    .description(
      'Send a test mail at once, with GATEHOUSE_MAIL and the settings beside it, and print the answer of the server. It uses no database, and works before anything else is set up.',
    )
    .requiredOption('--to <address>', 'the address to send it to')
    .option('--language <tag>', 'one of GATEHOUSE_LANGUAGES; else the first of them')
    .option(...jsonOption)
    .example('gatehouse mail test --to me@example.com')
    .example('gatehouse mail test --to me@example.com --language de --json')
    .action(async (options: { to: string; language?: string; json?: boolean }) => {
      const { sendTestMail } = await import('../commands/send-test-mail.ts');
      await sendTestMail(options, commandOutput(options));
    });

  mail
    .command('failed')
    .description(
      'Show the mails that were set aside: the server refused them, or they could not be sent before they expired. They are kept for 30 days after that.',
    )
    .option('--retry', 'send those again that have not expired', false)
    .option('--id <id...>', 'only these, by the ids that this command shows')
    .option(...jsonOption)
    .example('gatehouse mail failed --json')
    .example('gatehouse mail failed --retry')
    .example('gatehouse mail failed --retry --id mail_V1StGXR8Z5jdHi6BmyTn1A')
    .action(async (options: { retry: boolean; id?: string[]; json?: boolean }) => {
      const { failedMails } = await import('../commands/failed-deliveries.ts');
      await failedMails(options, commandOutput(options));
    });

  mail
    .command('suppressed')
    .description(
      'Show the addresses that get no mail, because a mail to them bounced for a lasting reason or was called unwanted. They get mail again a year after the last report.',
    )
    .option(...jsonOption)
    .example('gatehouse mail suppressed')
    .example('gatehouse mail suppressed --json')
    .action(async (options: { json?: boolean }) => {
      const { suppressedAddresses } = await import('../commands/suppressed-addresses.ts');
      await suppressedAddresses(commandOutput(options));
    });

  mail
    .command('unsuppress')
    .description(
      'Send mails to an address again. Take it out of the suppression list of Amazon SES too, if it is there: aws sesv2 delete-suppressed-destination --email-address ADDRESS.',
    )
    .argument('<address>', 'the address, in any spelling')
    .option(...jsonOption)
    .example('gatehouse mail unsuppress ann@example.com')
    .action(async (address: string, options: { json?: boolean }) => {
      const { unsuppressAddress } = await import('../commands/suppressed-addresses.ts');
      await unsuppressAddress(address, commandOutput(options));
    });
}
