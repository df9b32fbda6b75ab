import { type CliCommand, wholeNumber } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `passwords blocklist build`. */
export function addPasswordCommands(program: CliCommand): void {
  const passwords = program
    .command('passwords')
    .description('The passwords that people may choose.')
    .example('gatehouse passwords blocklist build pwned-passwords.txt --out passwords.filter');

  passwords
    .command('blocklist')
    .description('The list of known passwords that new ones are compared with.')
    .example('gatehouse passwords blocklist build pwned-passwords.txt --out passwords.filter')
    .command('build')
    .argument('<file>', 'the list: one SHA-1 digest in each line, and after a colon how often it was seen')
    .description(
      'Make the file for GATEHOUSE_PASSWORD_BLOCKLIST from a breach list. The file has about 2 bytes for each password.',
    )
    .requiredOption('--out <file>', 'where to write it')
    .option('--min-count <n>', 'leave out passwords that were seen less often', wholeNumber(1, 1_000_000), 1)
    .option('--plain', 'the list has passwords in plain text, one in each line', false)
    .option('--force', 'replace an existing file', false)
    .option(...jsonOption)
    .example('gatehouse passwords blocklist build pwned-passwords.txt --out passwords.filter --min-count 10')
    .example('gatehouse passwords blocklist build our-words.txt --plain --out passwords.filter')
    .action(async (file: string, options: BuildOptions & { json?: boolean }) => {
      const { buildBlocklist } = await import('../commands/build-blocklist.ts');
      await buildBlocklist(file, options, commandOutput(options));
    });
}

interface BuildOptions {
  out: string;
  minCount: number;
  plain: boolean;
  force: boolean;
}
