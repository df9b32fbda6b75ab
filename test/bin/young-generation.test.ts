import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** Makes objects that stay during the start and after it, and prints the size of the young generation each time. */
const script = `
import { getHeapSpaceStatistics } from 'node:v8';
import { withSmallYoungGeneration } from './provider/bin/young-generation.ts';
const youngBytes = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
const kept = [];
const work = () => { for (let i = 0; i < 300_000; i += 1) kept.push({ i, text: 'text ' + i }); };
const before = youngBytes();
const during = await withSmallYoungGeneration(async () => { work(); return youngBytes(); });
work();
console.log(JSON.stringify({ before, during, after: youngBytes() }));
`;

test('the young generation does not grow during the start, and grows after it', async () => {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { before, during, after } = JSON.parse(stdout);
  expect(during).toBeLessThanOrEqual(before);
  expect(after).toBeGreaterThan(during);
});
