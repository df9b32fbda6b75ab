import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { doctorRules } from '../../provider/doctor/examine.ts';

const page = readFileSync('docs/api-gateway.md', 'utf8');

test('the page about API Gateway lists the rules of the doctor, in their order', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, id, requires]) => ({
    id,
    requires,
  }));
  expect(rows).toEqual(doctorRules.map(({ id, requires }) => ({ id, requires })));
});
