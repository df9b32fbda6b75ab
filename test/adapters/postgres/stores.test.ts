import { PostgresAccountIndex } from '../../../adapters/postgres/account-index.ts';
import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { PostgresConsentStore } from '../../../adapters/postgres/consent-store.ts';
import { PostgresFamilyStore } from '../../../adapters/postgres/family-store.ts';
import { PostgresLeases } from '../../../adapters/postgres/leases.ts';
import { PostgresLimits } from '../../../adapters/postgres/limits.ts';
import { PostgresOidcStore } from '../../../adapters/postgres/oidc-store.ts';
import { PostgresOutbox } from '../../../adapters/postgres/outbox.ts';
import { PostgresRevocationStore } from '../../../adapters/postgres/revocation-store.ts';
import { accountIndexContract } from '../../contract/account-index.ts';
import { accountStoreContract } from '../../contract/account-store.ts';
import { consentStoreContract } from '../../contract/consent-store.ts';
import { familyStoreContract } from '../../contract/family-store.ts';
import { leasesContract } from '../../contract/leases.ts';
import { limitsContract } from '../../contract/limits.ts';
import { oidcStoreContract } from '../../contract/oidc-store.ts';
import { outboxContract } from '../../contract/outbox.ts';
import { revocationStoreContract } from '../../contract/revocation-store.ts';
import { storeOpener, useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

accountStoreContract(
  'PostgresAccountStore',
  storeOpener(openPool, (deps) => new PostgresAccountStore(deps)),
);
consentStoreContract(
  'PostgresConsentStore',
  storeOpener(openPool, (deps) => new PostgresConsentStore(deps)),
);
revocationStoreContract(
  'PostgresRevocationStore',
  storeOpener(openPool, (deps) => new PostgresRevocationStore(deps)),
);
outboxContract(
  'PostgresOutbox',
  storeOpener(openPool, (deps) => new PostgresOutbox(deps)),
);
oidcStoreContract(
  'PostgresOidcStore',
  storeOpener(openPool, (deps) => new PostgresOidcStore(deps)),
);
familyStoreContract(
  'PostgresFamilyStore',
  storeOpener(openPool, (deps) => new PostgresFamilyStore(deps)),
);
accountIndexContract(
  'PostgresAccountIndex',
  storeOpener(openPool, (deps) => new PostgresAccountIndex(deps)),
);
leasesContract(
  'PostgresLeases',
  storeOpener(openPool, (deps) => new PostgresLeases(deps)),
);
limitsContract(
  'PostgresLimits',
  storeOpener(openPool, (deps) => new PostgresLimits(deps)),
);
