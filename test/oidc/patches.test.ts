import '../../provider/oidc/runtime-notice.ts';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { Provider } from 'oidc-provider';
import { checkedVersion, keptFields, patches } from '../../provider/oidc/patches/table.ts';
import { readProduct } from '../support/architecture/sources.ts';

const packageJson = createRequire(import.meta.url)
  .resolve('oidc-provider')
  .replace(/(?<=node_modules\/oidc-provider\/).*$/, 'package.json');
const installed = JSON.parse(readFileSync(packageJson, 'utf8')).version;

type Classes = Record<string, { prototype: Record<string, unknown> } & Record<string, unknown>>;
const classes = new Provider('http://localhost', {
  features: { devInteractions: { enabled: false } },
}) as unknown as Classes;

describe('the table of overridden members of oidc-provider', () => {
  test('was checked against the installed version: check every row, then change checkedVersion', () => {
    expect(checkedVersion).toBe(installed);
  });

  test('names each member once', () => {
    const members = patches.map(({ model, member }) => `${model} ${member}`);
    expect(members).toHaveLength(new Set(members).size);
  });

  test.each(patches.map((patch) => [`${patch.model} ${patch.member}`, patch] as const))(
    '%s exists in the library, and the named test exists',
    (_, { model, member, why, since, test: file }) => {
      const isStatic = member.startsWith('static ');
      const owner = isStatic ? classes[model] : classes[model]?.prototype;
      expect(owner?.[member.replace('static ', '')]).toEqual(expect.any(Function));
      expect(existsSync(file)).toBe(true);
      expect([why, since]).toEqual([
        expect.stringMatching(/\w{3}/),
        expect.stringMatching(/^\d+\.\d+\.\d+$/),
      ]);
    },
  );

  test('is the only place that changes a class of the library', () => {
    const elsewhere = readProduct().filter(
      ({ path, code }) =>
        path !== 'oidc/patches/table.ts' &&
        /\.prototype\.\w+\s*=[^=]|\.prototype\[|'IN_PAYLOAD'|IN_PAYLOAD\s*=[^=]/.test(code),
    );
    expect(elsewhere.map(({ path }) => path)).toEqual([]);
  });

  test.each(Object.keys(keptFields))('%s stores the additional fields', (model) => {
    expect((classes[model] as unknown as { IN_PAYLOAD: string[] }).IN_PAYLOAD).toContain('jti');
  });
});
