import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

interface RevokeFlags {
  id?: string;
  family?: string;
  client?: string;
  json?: boolean;
}

/** `tokens revoke`. */
export function addTokenCommands(program: CliCommand): void {
  const tokens = program
    .command('tokens')
    .description('What apps hold: access tokens and refresh tokens.')
    .example('gatehouse tokens revoke < token.txt');

  tokens
    .command('revoke')
    .description(
      'End the token that comes by standard input, or what an option names. An access token ends alone; a refresh token with its family, everything issued from its sign-in. Every server refuses what is ended at once; what trusts a token without asking, like API Gateway, does so until it expires. To end everything of an account: sessions end --all. A refresh token needs the server secrets of the servers, a family their Redis.',
    )
    .option('--id <jti>', 'one access token, by its claim jti')
    .option(
      '--family <id>',
      'a family, by the claim family of its access tokens, or as sessions list shows it',
    )
    .option(
      '--client <id>',
      'everything a client was issued so far: access tokens, refresh tokens and codes. Who uses it signs in again; consents and sessions stay. What it is issued from a second later on is good',
    )
    .option(...jsonOption)
    .example('gatehouse tokens revoke < token.txt')
    .example('gatehouse tokens revoke --id Zk3vQx0pJ6l2mXw8s1RtB')
    .example('gatehouse tokens revoke --family fam_V1StGXR8Z5jdHi6BmyTn1A')
    .example('gatehouse tokens revoke --client shop --json')
    .action(async (options: RevokeFlags) => {
      const { revokeTokens } = await import('../commands/revoke-tokens.ts');
      await revokeTokens(options, commandOutput(options));
    });
}
