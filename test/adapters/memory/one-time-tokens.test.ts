import { oneTimeTokensContract } from '../../contract/one-time-tokens.ts';
import { MemoryOneTimeTokens } from '../../support/memory/one-time-tokens.ts';

oneTimeTokensContract('MemoryOneTimeTokens', async () => ({
  store: new MemoryOneTimeTokens(),
  close: async () => {},
}));
