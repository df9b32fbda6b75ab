import { PostgresSecondFactors } from '../../../adapters/postgres/second-factors.ts';
import { secondFactorsContract } from '../../contract/second-factors.ts';
import { storeOpener, useMigratedDatabase } from './migrated-database.ts';

secondFactorsContract(
  'PostgresSecondFactors',
  storeOpener(useMigratedDatabase(), (deps) => new PostgresSecondFactors(deps)),
);
