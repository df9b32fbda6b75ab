import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { table } from '../../provider/http/routes.ts';

/** The routes that API Gateway opens for the issuer, with their kinds. */
const opened: Record<string, string> = JSON.parse(readFileSync('terraform/edge/issuer-routes.json', 'utf8'));

/** HEAD is left out: an HTTP API has no more than 300 routes, and no client of Gatehouse needs it. */
const leftOut = (method: string, label: string) => method === 'HEAD' || label === '/auth/verify';

const routeKeys = table.flatMap(({ label, methods }) =>
  methods
    .filter((method) => !leftOut(method, label))
    .map((method) => `${method} ${label.replace(/:(\w+)/g, '{$1}')}`),
);

test('API Gateway opens every public route of Gatehouse, and no other', () => {
  expect(Object.keys(opened).sort()).toEqual([...new Set(routeKeys)].sort());
});

test('routes that hash a password have the throttle of sign-ins', () => {
  const hashing = table
    .filter(({ limit }) => typeof limit === 'object' && 'own' in limit)
    .flatMap(({ label, methods }) =>
      methods.map((method) => `${method} ${label.replace(/:(\w+)/g, '{$1}')}`),
    );
  expect(hashing.length).toBeGreaterThan(3);
  expect(hashing.filter((key) => opened[key] !== 'sign-in')).toEqual([]);
});
