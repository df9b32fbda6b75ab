import { PostgresPasskeys } from '../../../adapters/postgres/passkeys.ts';
import { passkeysContract } from '../../contract/passkeys.ts';
import { storeOpener, useMigratedDatabase } from './migrated-database.ts';

passkeysContract(
  'PostgresPasskeys',
  storeOpener(useMigratedDatabase(), (deps) => new PostgresPasskeys(deps)),
);
