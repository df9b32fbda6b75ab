import { InvalidArgumentError, Option } from 'commander';
import { type CliCommand, wholeNumber } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

interface Common {
  json?: boolean;
}

interface ExportFlags {
  out?: string;
  force: boolean;
  secondFactors?: 'sealed' | 'clear';
}

interface ImportFlags {
  dryRun: boolean;
  update: boolean;
  firebase?: string;
}

interface InviteFlags {
  role: string[];
  name?: string;
  client?: string;
  language?: string;
}

const oneLine = (text: string) => {
  if (/^(?=.*\S)[^\p{Cc}]{1,200}$/u.test(text)) return text.trim();
  throw new InvalidArgumentError('Give one line of 1 to 200 characters.');
};

const who = ['<account>', 'its address or id'] as const;

/** `accounts create|invite|list|show|disable|enable|set-password|set-roles|reset-factors|import|export`. */
export function addAccountCommands(program: CliCommand): void {
  const accounts = program
    .command('accounts')
    .description('People who can sign in.')
    .example('gatehouse accounts list')
    .example('gatehouse accounts show ann@example.com');
  addReading(accounts);
  addCreate(accounts);
  addInvite(accounts);
  addStates(accounts);
  addCredentials(accounts);
  addTransfer(accounts);
}

function addReading(accounts: CliCommand): void {
  accounts
    .command('list')
    .description('Show accounts in the order of their ids, a page at a time.')
    .option('--after <id>', 'only those after this one: the last of the page before')
    .option('--limit <n>', 'how many at most', wholeNumber(1, 1000), 50)
    .option(...jsonOption)
    .example('gatehouse accounts list --limit 20')
    .example('gatehouse accounts list --after user_1f0aZ --json')
    .action(async (options: Common & { after?: string; limit: number }) => {
      const { listAccounts } = await import('../commands/read-accounts.ts');
      await listAccounts(options, commandOutput(options));
    });

  accounts
    .command('show')
    .description('Show one account.')
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse accounts show ann@example.com')
    .action(async (account: string, options: Common) => {
      const { showAccount } = await import('../commands/read-accounts.ts');
      await showAccount(account, commandOutput(options));
    });
}

function addCreate(accounts: CliCommand): void {
  accounts
    .command('create')
    .description('Create an account and print its id. The password is asked for, or comes by standard input.')
    .requiredOption('--email <address>', 'the address it signs in with')
    .option('--role <name...>', 'roles, as GATEHOUSE_APIS_FILE defines them', [])
    .option(
      '--name <text>',
      'the full name, which apps with the scope profile get as the claim name',
      oneLine,
    )
    .option('--verified', 'the address is known to be theirs', false)
    .option(...jsonOption)
    .example('gatehouse accounts create --email ann@example.com --role CLIENT < password.txt')
    .example("gatehouse accounts create --email ann@example.com --name 'Ann Example' < password.txt")
    .action(async (options: Common & { email: string; role: string[]; name?: string; verified: boolean }) => {
      const { createAccount } = await import('../commands/create-account.ts');
      const { email, role: roles, name, verified } = options;
      await createAccount({ email, roles, name, verified }, commandOutput(options));
    });
}

function addInvite(accounts: CliCommand): void {
  accounts
    .command('invite')
    .description(
      'Create an account without a password, or take one that has none, and send a mail with a link to choose one. The link is valid for 7 days. Invite again to send a new one: the links before are invalid then.',
    )
    .argument('<address>', 'the address of the person')
    .option('--role <name...>', 'roles, as GATEHOUSE_APIS_FILE defines them', [])
    .option(
      '--name <text>',
      'the full name of a new account, which apps with the scope profile get as the claim name',
      oneLine,
    )
    .option('--client <id>', 'the app where the person goes on after choosing a password')
    .option('--language <tag>', 'the language of the mail and of the page, one of GATEHOUSE_LANGUAGES')
    .option(...jsonOption)
    .example('gatehouse accounts invite ann@example.com --role CLIENT --client contracts-web')
    .example('gatehouse accounts invite ann@example.com --language de')
    .action(async (address: string, { role: roles, ...options }: Common & InviteFlags) => {
      const { inviteAccount } = await import('../commands/invite-account.ts');
      await inviteAccount({ ...options, email: address, roles }, commandOutput(options));
    });
}

function addStates(accounts: CliCommand): void {
  accounts
    .command('disable')
    .description('Keep an account from signing in, and end every token it was issued.')
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse accounts disable ann@example.com')
    .action(async (account: string, options: Common) => {
      const { disableAccount } = await import('../commands/change-account.ts');
      await disableAccount(account, commandOutput(options));
    });

  accounts
    .command('enable')
    .description('Let an account sign in again. Its old tokens stay dead.')
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse accounts enable ann@example.com')
    .action(async (account: string, options: Common) => {
      const { enableAccount } = await import('../commands/change-account.ts');
      await enableAccount(account, commandOutput(options));
    });
}

function addCredentials(accounts: CliCommand): void {
  accounts
    .command('set-password')
    .description(
      'Give an account a new password, asked for or by standard input, and end every token it was issued.',
    )
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse accounts set-password ann@example.com')
    .example('gatehouse accounts set-password ann@example.com < password.txt')
    .action(async (account: string, options: Common) => {
      const { setPassword } = await import('../commands/change-account.ts');
      await setPassword(account, commandOutput(options));
    });

  accounts
    .command('reset-factors')
    .description(
      'Remove the authenticator app and the recovery codes of an account, for a person who lost them. Sessions and tokens stay.',
    )
    .argument(...who)
    .option(...jsonOption)
    .example('gatehouse accounts reset-factors ann@example.com')
    .action(async (account: string, options: Common) => {
      const { resetFactors } = await import('../commands/change-account.ts');
      await resetFactors(account, commandOutput(options));
    });

  accounts
    .command('set-roles')
    .description(
      'Give an account exactly these roles. Access tokens issued before keep theirs until they expire.',
    )
    .argument(...who)
    .argument('[role...]', 'all roles it is to have, as GATEHOUSE_APIS_FILE defines them')
    .option('--none', 'no roles at all', false)
    .option(...jsonOption)
    .example('gatehouse accounts set-roles ann@example.com CLIENT ADMIN')
    .example('gatehouse accounts set-roles ann@example.com --none')
    .action(async (account: string, roles: string[], options: Common & { none: boolean }) => {
      const { setRoles } = await import('../commands/change-account.ts');
      await setRoles(account, { roles, none: options.none }, commandOutput(options));
    });
}

function addTransfer(accounts: CliCommand): void {
  accounts
    .command('import')
    .description(
      'Take accounts over from lines of JSON, with the hashes of their passwords. A bad line is reported and the import goes on; run it again to continue. With --json: a JSON line for each problem, and one with the totals.',
    )
    .argument('<file>', 'the file; - for standard input')
    .option('--dry-run', 'check everything and write nothing', false)
    .option('--update', 'change accounts that are there already to what their lines say', false)
    .option(
      '--firebase <file>',
      "a file with the Firebase project's password hash parameters, as its console shows them",
    )
    .option(...jsonOption)
    .example('gatehouse accounts import accounts.jsonl --dry-run')
    .example('zcat accounts.jsonl.gz | gatehouse accounts import -')
    .action(async (file: string, options: Common & ImportFlags) => {
      const { importAccounts } = await import('../commands/import-accounts.ts');
      await importAccounts({ file, ...options }, commandOutput(options));
    });

  accounts
    .command('export')
    .description(
      'Write all accounts as lines of JSON that import reads. They hold password hashes: keep them as a secret.',
    )
    .option('--out <file>', 'a new file, with mode 0600; standard output unless given')
    .option('--force', 'replace the file; print to a terminal', false)
    .addOption(
      new Option(
        '--second-factors <how>',
        'export the secrets of authenticator apps too: sealed by the server secret, or in clear. Unless given, they are left out',
      ).choices(['sealed', 'clear']),
    )
    .option('--json', 'the accounts are JSON lines anyway; with this the rest is JSON too')
    .example('gatehouse accounts export --out accounts.jsonl')
    .example('gatehouse accounts export --out accounts.jsonl --second-factors sealed')
    .action(async (options: Common & ExportFlags) => {
      const { exportAccounts } = await import('../commands/export-accounts.ts');
      await exportAccounts(options, commandOutput(options));
    });
}
