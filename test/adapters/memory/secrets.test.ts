import { expect, test } from '@jest/globals';
import { MemorySecrets } from '../../support/memory/secrets.ts';

test('secrets are found by reference, also after a replacement', async () => {
  const secrets = new MemorySecrets({ secrets: { 'env:A': 'one' } });
  expect(await secrets.resolve('env:A')).toBe('one');
  secrets.set('env:A', 'two');
  expect(await secrets.resolve('env:A')).toBe('two');
});

test('the error names an unknown reference and no secret', async () => {
  const secrets = new MemorySecrets({ secrets: { 'env:A': 'the-secret' } });
  await expect(secrets.resolve('env:toString')).rejects.toThrow(
    'There is no secret env:toString. Set it first.',
  );
  await expect(secrets.resolve('env:B')).rejects.not.toThrow('the-secret');
});
