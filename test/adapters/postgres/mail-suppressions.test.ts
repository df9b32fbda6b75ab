import { PostgresMailSuppressions } from '../../../adapters/postgres/mail-suppressions.ts';
import { mailSuppressionsContract } from '../../contract/mail-suppressions.ts';
import { storeOpener, useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

mailSuppressionsContract(
  'PostgresMailSuppressions',
  storeOpener(openPool, (deps) => new PostgresMailSuppressions(deps)),
);
