import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileSecrets } from '../../../adapters/file/secrets.ts';
import { newId } from '../../../provider/lib/ids.ts';
import { secretsContract } from '../../contract/secrets.ts';

secretsContract('files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-secrets-'));
  const write = (reference: string, text: string) =>
    writeFile(reference.slice('file:'.length), text, { mode: 0o600 });
  return {
    secrets: createFileSecrets({ env: {} }),
    create: async (text) => {
      const reference = `file:${join(folder, newId('secret'))}`;
      await write(reference, text);
      return reference;
    },
    replace: write,
    missing: `file:${join(folder, 'none')}`,
    afterCache: () => {},
    close: () => rm(folder, { recursive: true }),
  };
});
