import {
  type ExportedSecrets,
  exportedTotp,
  exportAccounts as exportLines,
} from '../../accounts/import/export-accounts.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { refuseExisting, writePrivateFile } from '../cli/private-file.ts';
import { withStores } from './open-stores.ts';

export interface ExportCommandOptions {
  out?: string | undefined;
  /** Allows output to a terminal, and allows replacing an existing file. */
  force: boolean;
  /** Left out to leave authenticator apps out. */
  secondFactors?: ExportedSecrets | undefined;
}

/** `gatehouse accounts export`. Throws a CommandFailure; in this case no file remains. */
export async function exportAccounts(
  { out, force, secondFactors: secrets }: ExportCommandOptions,
  output: Output,
): Promise<void> {
  if (out === undefined && process.stdout.isTTY && !force) {
    const message =
      'An export holds password hashes and belongs into no terminal. Use --out FILE, a pipe, or --force.';
    throw new CommandFailure('usage', message, { code: 'terminal' });
  }
  if (out !== undefined && !force) await refuseExisting(out);
  let accounts = 0;
  if (secrets === 'clear')
    output.note(
      'WARNING: --second-factors clear writes the secrets of authenticator apps in clear. Together with a password, a line is enough to sign in. Delete the file after the import.',
    );
  await withStores({ serverSecrets: secrets === 'clear' }, async ({ ports, serverKeys }) => {
    const totp =
      secrets &&
      exportedTotp(
        ports.secondFactors,
        secrets,
        secrets === 'clear' ? await serverKeys() : { open: () => undefined },
      );
    const counted = async function* () {
      for await (const line of exportLines({ accounts: ports.accounts, totp })) {
        accounts += 1;
        yield line;
      }
    };
    if (out !== undefined) return writePrivateFile(out, counted(), { replace: force });
    for await (const line of counted()) await output.line(line.trimEnd());
  });
  const apps =
    secrets &&
    ` and ${secrets === 'clear' ? 'the secrets of authenticator apps IN CLEAR' : 'sealed secrets'}`;
  const holds = `the password hashes${apps ?? ''} of ${accounts} ${accounts === 1 ? 'account' : 'accounts'}`;
  output.note(`${out ?? 'What was written'} holds ${holds}: keep it as a secret.`);
  if (out !== undefined && output.json) output.result({ file: out, accounts }, '');
}
