import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { profileClaims } from '../../provider/lib/oidc-scopes.ts';

test('docs/clients.md lists the claims that come from metadata, and no others', () => {
  const page = readFileSync('docs/clients.md', 'utf8');
  const list = /under the same name in `metadata` is the claim\.\n\n(?<list>[\s\S]*?)\(OpenID/.exec(page)
    ?.groups?.list;
  const names = [...(list ?? '').matchAll(/`(?<name>\w+)`/g)].map(({ groups }) => groups?.name);
  expect(names).toEqual(profileClaims.filter((name) => name !== 'updated_at'));
});
