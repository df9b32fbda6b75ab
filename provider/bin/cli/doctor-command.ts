import { InvalidArgumentError, Option } from 'commander';
import { parseUrl } from '../../lib/parse-url.ts';
import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

interface DoctorFlags {
  issuer: string;
  gateway: 'http' | 'rest';
  audience: string[];
  scope: string[];
  lead: number;
  token?: true;
  json?: boolean;
}

function webUrl(text: string): string {
  if (/^https?:$/.test(parseUrl(text)?.protocol ?? '')) return text;
  throw new InvalidArgumentError('Give the URL of the issuer, beginning with https://.');
}

function seconds(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of seconds.');
}

/** `doctor`. */
export function addDoctorCommand(program: CliCommand): void {
  program
    .command('doctor')
    .description(
      'Look at a running issuer from outside, as API Gateway does, and say what API Gateway would refuse and how to mend it. It works with every OpenID Connect provider, changes nothing, and needs no settings. Run it where the internet is reachable as it is from AWS. Warnings do not change the exit code.',
    )
    .requiredOption('--issuer <url>', 'the issuer, exactly as the authorizer has it', webUrl)
    .addOption(
      new Option('--gateway <kind>', 'the kind of API').choices(['http', 'rest']).default('http', 'http'),
    )
    .option('--audience <audience...>', 'the audiences of the authorizer', [])
    .option('--scope <scope...>', 'the scopes of a route; a token needs one of them', [])
    .option('--token', 'check the access token that comes by standard input too; it is sent nowhere')
    .option(
      '--lead <seconds>',
      'how long the issuer publishes a key before it signs, which is not visible from outside; for Gatehouse GATEHOUSE_KEY_LEAD_SECONDS',
      seconds,
      10_800,
    )
    .option(...jsonOption)
    .example('gatehouse doctor --issuer https://id.example.com')
    .example(
      'gatehouse doctor --issuer https://id.example.com --audience https://api.example.com --scope contracts:read --token < token.txt',
    )
    .example('gatehouse doctor --issuer https://id.example.com --gateway rest --json')
    .action(async ({ audience, scope, lead, token, ...flags }: DoctorFlags) => {
      const { runDoctor } = await import('../commands/run-doctor.ts');
      const { issuer, gateway } = flags;
      const question = { issuer, gateway, audiences: audience, scopes: scope, leadSeconds: lead };
      await runDoctor({ question, withToken: token === true }, commandOutput(flags));
    });
}
