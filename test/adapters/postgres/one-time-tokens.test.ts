import { PostgresOneTimeTokens } from '../../../adapters/postgres/one-time-tokens.ts';
import { oneTimeTokensContract } from '../../contract/one-time-tokens.ts';
import { storeOpener, useMigratedDatabase } from './migrated-database.ts';

oneTimeTokensContract(
  'PostgresOneTimeTokens',
  storeOpener(useMigratedDatabase(), (deps) => new PostgresOneTimeTokens(deps)),
);
