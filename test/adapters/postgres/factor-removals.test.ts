import { PostgresFactorRemovals } from '../../../adapters/postgres/factor-removals.ts';
import { factorRemovalsContract } from '../../contract/factor-removals.ts';
import { storeOpener, useMigratedDatabase } from './migrated-database.ts';

factorRemovalsContract(
  'PostgresFactorRemovals',
  storeOpener(useMigratedDatabase(), (deps) => new PostgresFactorRemovals(deps)),
);
