import { createChangePassword } from '../accounts/change-password.ts';
import { passwordLength } from '../accounts/password-rules.ts';
import type { Passwords } from '../accounts/passwords.ts';
import { accountClient } from '../clients/account-client.ts';
import { accountClientId, type ClientDocument } from '../clients/client-document.ts';
import type { Config } from '../config/schema.ts';
import type { AccountDeps } from '../interactions/account/account-deps.ts';
import type { AccountDirectory } from '../oidc/sessions/accounts-view.ts';
import { findBrowserSession } from '../oidc/sessions/browser-session.ts';
import type { SignInEntry } from '../oidc/sessions/sign-ins.ts';
import { createWithdrawConsent } from '../oidc/sessions/withdraw-consent.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { ProtocolParts } from './compose-deps.ts';
import type { Protocol } from './compose-protocol.ts';
import { basePath } from './open-pages.ts';

const redirectUri = ({ issuer }: Config) => `${issuer}/account/signed-in`;

/** The account page as a client of ours. */
export const builtInClients = (config: Config): ClientDocument[] => [
  accountClient({ name: config.appName, redirectUri: redirectUri(config) }),
];

export interface AccountParts extends ProtocolParts {
  protocol: Protocol;
  passwords: Passwords;
  unitOfWork: UnitOfWork;
}

/** Puts the account page together. */
export function composeAccount(parts: AccountParts): Omit<AccountDeps, 'renderer' | 'bodyLimitBytes'> {
  const { config, accessModel, accounts, audit, clients, clock, logger, metrics, ports } = parts;
  const { host, signIns } = parts.protocol;
  const directory: AccountDirectory = {
    // As it is stored: what is kept elsewhere doesn't know whether there is a password.
    account: async (id, unless) =>
      (await parts.denylist.anyRevoked([...unless])) ? undefined : accounts.findById(id),
    permissionsOf: (roles) => accounts.permissionsOf(roles),
  };
  const end = async (accountId: string, which: (signIn: SignInEntry) => boolean) => {
    // The account's tokenVersion or its consent ended them already: this only removes the entries from the list.
    await signIns
      .end(accountId, which)
      .catch((error: unknown) =>
        logger.warn({ err: error }, 'what was ended could not be taken off the list'),
      );
  };
  const changePassword = createChangePassword({
    accounts: ports.accounts,
    unitOfWork: parts.unitOfWork,
    passwords: parts.passwords,
    newEvent: audit.newEvent,
    clock,
    logger,
    metrics: { signedIn: (outcome) => metrics.signIns.inc({ outcome }) },
  });
  return {
    keys: parts.serverKeys,
    issuer: config.issuer,
    basePath: basePath(config.issuer),
    now: () => clock.now(),
    client: { id: accountClientId, redirectUri: redirectUri(config) },
    session: (ctx) => findBrowserSession(host.current(), directory, ctx),
    app: (id) => clients.find(id),
    apis: accessModel.apis,
    signIns,
    consents: (accountId) => ports.consents.list(accountId),
    endSession: (uid) => parts.protocol.endSession(uid),
    signOutEverywhere: async (accountId) => {
      await accounts.signOutEverywhere(accountId);
      await end(accountId, () => true);
    },
    withdrawConsent: createWithdrawConsent({
      consents: ports.consents,
      endConsent: (id) => parts.revocation.endConsent(id),
      withdraw: (consent) => audit.withdrawConsent(consent),
      endFamilies: (accountId, clientId) =>
        end(accountId, (signIn) => signIn.kind === 'family' && signIn.clientId === clientId),
    }),
    changePassword: async (change) => {
      await parts.guard.provePassword(change.accountId, () => changePassword(change));
      await end(change.accountId, () => true);
    },
    passwordLength,
  };
}
