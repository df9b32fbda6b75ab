import { accounts } from './0001-accounts.ts';
import { consents } from './0002-consents.ts';
import { outbox } from './0003-outbox.ts';
import { oidcArtifacts } from './0004-oidc-artifacts.ts';
import { families } from './0005-families.ts';
import { revocations } from './0006-revocations.ts';
import { accountIndex } from './0007-account-index.ts';
import { announcements } from './0008-announcements.ts';
import { consentIds } from './0009-consent-ids.ts';
import { refreshAnswers } from './0010-refresh-answers.ts';
import { revokedAt } from './0011-revoked-at.ts';
import { limits } from './0012-limits.ts';
import { clientGenerations } from './0013-client-generations.ts';
import { accountIndexUsedAt } from './0014-account-index-used-at.ts';
import { normalAddresses } from './0015-normal-addresses.ts';
import { signingKeys } from './0016-signing-keys.ts';
import { eventSequences } from './0017-event-sequences.ts';
import { leases } from './0018-leases.ts';
import { clients } from './0019-clients.ts';
import { registeredClients } from './0020-registered-clients.ts';
import { logouts } from './0021-logouts.ts';
import { mails } from './0022-mails.ts';
import { secondFactors } from './0023-second-factors.ts';
import { oneTimeTokens } from './0024-one-time-tokens.ts';
import { accountChanges } from './0025-account-changes.ts';
import { passkeys } from './0026-passkeys.ts';
import { factorRemovals } from './0027-factor-removals.ts';
import { mailSuppressions } from './0028-mail-suppressions.ts';
import { unconfirmedAccounts } from './0029-unconfirmed-accounts.ts';
import { knownVersions } from './0030-known-versions.ts';
import type { Migration } from './migration.ts';

/** All migrations, in the order in which they are applied. */
export const migrations: readonly Migration[] = [
  accounts,
  consents,
  outbox,
  oidcArtifacts,
  families,
  revocations,
  accountIndex,
  announcements,
  consentIds,
  refreshAnswers,
  revokedAt,
  limits,
  clientGenerations,
  accountIndexUsedAt,
  normalAddresses,
  signingKeys,
  eventSequences,
  leases,
  clients,
  registeredClients,
  logouts,
  mails,
  secondFactors,
  oneTimeTokens,
  accountChanges,
  passkeys,
  factorRemovals,
  mailSuppressions,
  unconfirmedAccounts,
  knownVersions,
];
