import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { accountDocument } from './account-document.ts';
import { checkRoles } from './check-roles.ts';
import { type Stores, withStores } from './open-stores.ts';

export interface InviteOptions {
  email: string;
  roles: string[];
  name?: string | undefined;
  client?: string | undefined;
  language?: string | undefined;
}

/**
 * `gatehouse accounts invite`. Throws `validation_failed` with fields, `account_disabled`, and a CommandFailure when mail is
 * off, when the address has an account with a password, or for a role, client or language that does not exist.
 */
export async function inviteAccount(options: InviteOptions, output: Output): Promise<void> {
  const { email, roles, name, client, language } = options;
  await withStores({ mails: true }, async (stores) => {
    const { invitations, accessModel, config } = stores;
    if (invitations === undefined) {
      const message =
        'Mail is off, so people cannot be invited: GATEHOUSE_MAIL is not set, or is off. Set it, or use gatehouse accounts create.';
      throw new CommandFailure('configuration', message, { code: 'configuration' });
    }
    checkRoles(roles, accessModel);
    checkLanguage(language, config.languages);
    const invited = await invitations.invite({
      email,
      roles,
      metadata: name === undefined ? {} : { name },
      language,
      client: client === undefined ? undefined : await findClient(stores, client),
    });
    if (invited === undefined) throw taken(email);
    const { account, isNew } = invited;
    output.result(
      { ...accountDocument(account), isNew },
      `${account.email} (${account.id}) is invited; the link of the mail is valid for 7 days.`,
    );
  });
}

function checkLanguage(language: string | undefined, offered: readonly string[]): void {
  if (language === undefined || offered.includes(language)) return;
  const message = `There is no language ${language}. GATEHOUSE_LANGUAGES has: ${offered.join(', ')}.`;
  throw new CommandFailure('usage', message, { code: 'unknown_language' });
}

async function findClient(
  { ports, clientWrites }: Stores,
  id: string,
): Promise<{ id: string; name?: string | undefined }> {
  const client = await ports.clients.find(id);
  const name = client?.document.name;
  if (client !== undefined) return { id, name: typeof name === 'string' ? name : undefined };
  if ((await clientWrites.fileIds()).has(id)) return { id };
  const message = `There is no client ${id}, in the database or in the file of the servers.`;
  throw new CommandFailure('usage', message, { code: 'unknown_client' });
}

const taken = (email: string) =>
  new CommandFailure(
    'cannotCreate',
    `There is an account with the address ${email} and a password already. Its owner can choose another one on the sign-in page.`,
    { code: 'address_taken' },
  );
