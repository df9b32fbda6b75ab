import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { readPassword } from '../cli/read-password.ts';
import { accountDocument } from './account-document.ts';
import { checkRoles } from './check-roles.ts';
import { withStores } from './open-stores.ts';

export interface CreateAccountOptions {
  email: string;
  roles: string[];
  /** The claim `name`. The account has none if it is undefined. */
  name: string | undefined;
  verified: boolean;
}

const taken = (email: string) =>
  new CommandFailure('cannotCreate', `There is an account with the address ${email} already.`, {
    code: 'address_taken',
  });

/** `gatehouse accounts create`. Throws `validation_failed` with fields. */
export async function createAccount(
  { email, roles, name, verified }: CreateAccountOptions,
  output: Output,
): Promise<void> {
  const created = await withStores({}, async ({ accessModel, accounts, ports }) => {
    checkRoles(roles, accessModel);
    if (await ports.accounts.findByEmail(email)) throw taken(email);
    const password = await readPassword();
    const metadata = name === undefined ? {} : { name };
    return accounts.create({
      email,
      password,
      roles: [...new Set(roles)],
      emailVerified: verified,
      metadata,
    });
  });
  if (!created) throw taken(email);
  output.result(accountDocument(created), created.id);
}
