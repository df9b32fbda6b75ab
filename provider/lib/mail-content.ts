import { z } from 'zod';
import type { ServerKeys } from './server-keys.ts';

/** A change of a credential. */
interface Change {
  email: string;
  /** When it happened, in milliseconds since the epoch. */
  at: number;
}

/** What each kind of mail says, by the name of its template. Later releases add kinds. */
export interface MailModels {
  'password-changed': Change;
  /** `minutes`: how long the link and the code are valid. `at`: when the person asked. */
  recover: { email: string; url: string; code: string; minutes: number; at: number };
  /** `code`: for the page where the person signed up. */
  'confirm-address': { email: string; url: string; code: string; at: number };
  'account-exists': { email: string; at: number };
  /** `url`: the page where the person chooses a password. `clientName`: the app that the person is invited to. */
  invitation: { email: string; url: string; clientName?: string | undefined; at: number };
  'passkey-added': { email: string; name: string; at: number };
  'passkey-removed': { email: string; name: string; at: number };
  'second-factor-added': Change;
  'second-factor-removed': Change & { byOperator?: true | undefined };
  /** `dueAt`: from when on a sign-in with the password removes the factors, in milliseconds since the epoch. */
  'second-factor-removal': Change & { dueAt: number };
  'recovery-codes-replaced': Change;
  /** `left`: how many recovery codes are left. */
  'recovery-code-used': Change & { left: number };
  test: { at: number };
  /** To the new address. `minutes`: how long the link and the code are valid. */
  'address-confirm': { from: string; to: string; at: number; url: string; code: string; minutes: number };
  /** To the present address, when a change was requested. */
  'address-requested': { from: string; to: string; at: number };
  /** To the owner of an address that another account asked for. */
  'address-taken': { at: number };
  /** To the earlier address. `url`: the page that undoes the change. */
  'address-changed': { from: string; to: string; at: number; url: string };
  /** To the address that the account has again. */
  'address-restored': { from: string; to: string; at: number };
}

export type MailKind = keyof MailModels;

const schema = z.object({
  to: z.string(),
  language: z.string().optional(),
  model: z.record(z.string(), z.unknown()),
});

/** The content of a mail that waits. */
export type MailContent = z.infer<typeof schema>;

const context = (id: string) => `mail ${id}`;

/** Seals the content of a mail under its id. */
export const sealMail = (keys: Pick<ServerKeys, 'seal'>, id: string, content: MailContent): string =>
  keys.seal(context(id), JSON.stringify(content));

/** Gives the content again. Throws when no known server secret sealed it. */
export function openMail(keys: Pick<ServerKeys, 'open'>, id: string, sealed: string): MailContent {
  const text = keys.open(context(id), sealed);
  if (text === undefined)
    throw new Error('its content cannot be read: the server secret that protects it is not in use here');
  return schema.parse(JSON.parse(text));
}
