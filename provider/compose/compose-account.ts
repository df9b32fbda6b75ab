import { createChangeAddress } from '../accounts/change-address.ts';
import { createChangePassword } from '../accounts/change-password.ts';
import { createOwnPasskeys } from '../accounts/own-passkeys.ts';
import { createOwnSecondFactor } from '../accounts/own-second-factor.ts';
import { accountClient } from '../clients/account-client.ts';
import { accountClientId, type ClientDocument } from '../clients/client-document.ts';
import { hostOfClientId } from '../clients/client-id-url.ts';
import type { Config } from '../config/schema.ts';
import type { AccountDeps } from '../interactions/account/account-deps.ts';
import { newPasskeyAnswerSchema } from '../lib/passkey-answers.ts';
import type { AccountSources } from '../oidc/sessions/accounts-view.ts';
import { findBrowserSession } from '../oidc/sessions/browser-session.ts';
import { sessionHandle } from '../oidc/sessions/sign-ins.ts';
import type { Parts } from './compose-deps.ts';
import type { Protocol } from './compose-protocol.ts';
import { basePath } from './open-pages.ts';

const redirectUri = ({ issuer }: Config) => `${issuer}/account/signed-in`;

/** The built-in client of the account page. */
export const builtInClients = (config: Config): ClientDocument[] => [
  accountClient({ name: config.appName, redirectUri: redirectUri(config) }),
];

/** An app that this process has not looked up is shown by the host of its id. */
function appOfUrl(id: string): { name: string; firstParty: boolean } | undefined {
  const name = hostOfClientId(id);
  return name === undefined ? undefined : { name, firstParty: false };
}

/** Assembles the account page. */
export function composeAccount(
  parts: Parts,
  protocol: Protocol,
): Omit<AccountDeps, 'renderer' | 'bodyLimitBytes'> {
  const { config, accessModel, accounts, clients, clock, denylist, logger, metrics, ports } = parts;
  const { host, signIns, consents, sessionEnd } = protocol;
  const sources: AccountSources = {
    personClaims: protocol.personClaims,
    // Accounts are read from their store here, because a cached account does not show whether it has a password.
    reads: {
      account: async (id, unless = []) =>
        (await denylist.anyRevoked([...unless])) ? undefined : ports.accounts.findById(id),
    },
    accounts,
  };
  /** The account's token version has already ended every sign-in. This removes them from the list. */
  const unlistAll = (accountId: string) =>
    signIns
      .end(accountId, () => true)
      .catch((error: unknown) => logger.warn({ err: error }, 'sign-in list could not be updated'));
  const changePassword = createChangePassword({
    accounts: ports.accounts,
    unitOfWork: parts.unitOfWork,
    passwords: parts.passwords,
    passwordRules: parts.passwordRules,
    rateLimits: parts.rateLimits,
    newEvent: parts.newEvent,
    writeMail: parts.writeMail,
    clock,
    logger,
    metrics,
  });
  const { writeMail } = parts;
  const changeAddress =
    writeMail &&
    createChangeAddress({
      ...parts,
      accounts: ports.accounts,
      addressChanges: ports.addressChanges,
      writeMail,
      issuer: config.issuer,
    });
  return {
    keys: parts.serverSecrets.keys,
    issuer: config.issuer,
    basePath: basePath(config.issuer),
    now: () => clock.now(),
    client: { id: accountClientId, redirectUri: redirectUri(config) },
    session: (ctx) => findBrowserSession(host.current(), sources, ctx),
    countRequest: (sessionUid) => parts.rateLimits.countSession(sessionUid),
    app: (id) => clients.findAny(id) ?? appOfUrl(id),
    apis: accessModel.apis,
    signIns,
    sessionHandle,
    consents: (accountId) => consents.list(accountId),
    endSession: (uid) => sessionEnd.endByUid(uid),
    signOutEverywhere: async (accountId) => {
      await accounts.signOutEverywhere(accountId);
      await unlistAll(accountId);
    },
    withdrawConsent: consents.withdraw,
    changePassword: async (change) => {
      const changed = await changePassword(change);
      await unlistAll(change.accountId);
      return changed;
    },
    changeAddress: changeAddress && {
      ...changeAddress,
      undo: async (token, language) => {
        const undone = await changeAddress.undo(token, language);
        await unlistAll(undone.account.id);
        return undone;
      },
    },
    secondFactor: createOwnSecondFactor({
      accounts: ports.accounts,
      unitOfWork: parts.unitOfWork,
      passwords: parts.passwords,
      rateLimits: parts.rateLimits,
      factors: parts.factors,
      secondFactors: ports.secondFactors,
      logger,
      metrics,
    }),
    passkeys: parts.passkeys && createOwnPasskeys({ ...parts, passkeys: parts.passkeys }),
    newPasskeyAnswer: newPasskeyAnswerSchema,
    factorOf: (accountId) => ports.secondFactors.find(accountId),
    offersSecondFactor: config.secondFactor !== 'off',
    browser: parts.rateLimits.browsers.read,
    knowBrowser: parts.rateLimits.browsers.know,
    signInHistory: (accountId) => ports.signInHistory.list(accountId, clock.now()),
    passwordLengthFor: parts.passwordRules.lengthFor,
  };
}
