import type { Clock } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import { type MailKind, type MailModels, sealMail } from '../lib/mail-content.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';

/** How long after it was written a mail is still useful, in milliseconds. */
const usefulMs: Record<MailKind, number> = {
  'password-changed': 3 * 86_400_000,
  'passkey-added': 3 * 86_400_000,
  'passkey-removed': 3 * 86_400_000,
  'second-factor-added': 3 * 86_400_000,
  'second-factor-removed': 3 * 86_400_000,
  'second-factor-removal': 3 * 86_400_000,
  'recovery-codes-replaced': 3 * 86_400_000,
  'recovery-code-used': 3 * 86_400_000,
  recover: 1_800_000,
  'address-confirm': 1_800_000,
  'address-requested': 3 * 86_400_000,
  'address-taken': 3 * 86_400_000,
  // As long as the change can be undone.
  'address-changed': 3 * 86_400_000,
  'address-restored': 3 * 86_400_000,
  'confirm-address': 30 * 60_000,
  'account-exists': 3_600_000,
  invitation: 7 * 86_400_000,
  test: 3_600_000,
};

/** An account, or an address without one. For another address of an account, `email` is that address. */
export type MailRecipient = Pick<Account, 'email'> & Partial<Pick<Account, 'id' | 'metadata'>>;

export interface MailRequest<Kind extends MailKind> {
  kind: Kind;
  account: MailRecipient;
  /** The language of the page on which it was caused. The default is the `locale` of the account's metadata. */
  language?: string | undefined;
  model: MailModels[Kind];
}

/**
 * Writes a mail in the transaction that it belongs to. A worker sends it later, so it costs the answer one row. The mail
 * goes to the stored address of the account. Only a mail that proves an address goes to one that was typed.
 */
export type WriteMail = <Kind extends MailKind>(
  stores: Pick<TransactionStores, 'mails'>,
  request: MailRequest<Kind>,
) => Promise<void>;

export function createWriteMail({
  keys,
  clock,
}: {
  keys: Pick<ServerKeys, 'seal'>;
  clock: Clock;
}): WriteMail {
  return async ({ mails }, { kind, account, language = localeOf(account), model }) => {
    const id = newId('mail');
    const content = sealMail(keys, id, {
      to: account.email,
      ...(language === undefined ? {} : { language }),
      model: { ...model },
    });
    const createdAt = clock.now();
    await mails.add({
      id,
      kind,
      accountId: account.id,
      content,
      createdAt,
      expiresAt: createdAt + usefulMs[kind],
    });
  };
}

function localeOf({ metadata = {} }: MailRecipient): string | undefined {
  const { locale } = metadata;
  return typeof locale === 'string' && locale.length <= 35 ? locale : undefined;
}

/** A link in a mail. Its page has the language of the mail. */
export function linkOf(
  issuer: string,
  path: string,
  {
    language,
    ...parameters
  }: { token: string; language?: string | undefined; client_id?: string | undefined },
): string {
  const { client_id: clientId, token } = parameters;
  const query = new URLSearchParams({ token });
  if (clientId !== undefined) query.set('client_id', clientId);
  if (language !== undefined) query.set('ui_locales', language);
  return `${issuer}${path}?${query}`;
}

/** Tells a person that the password of the account was changed. Does nothing when mail is off. */
export async function writePasswordChanged(
  writeMail: WriteMail | undefined,
  stores: Pick<TransactionStores, 'mails'>,
  { account, at, language }: { account: Account; at: number; language?: string | undefined },
): Promise<void> {
  const model = { email: account.email, at };
  await writeMail?.(stores, { kind: 'password-changed', account, language, model });
}
