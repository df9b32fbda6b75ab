import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  describeClientProblem,
  parseClientDocuments,
} from '../../provider/clients/parse-client-documents.ts';
import { parseAccessModel } from '../../provider/config/apis.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';
import { profileClaims } from '../../provider/lib/oidc-scopes.ts';

const page = readFileSync('docs/clients.md', 'utf8');
const blocks = [...page.matchAll(/```yaml\n(?<text>[\s\S]*?)```/g)].map(({ groups }) => groups?.text ?? '');

test('docs/clients.md lists the claims that come from metadata, and no others', () => {
  const list = /under the same name in `metadata` is the claim\.\n\n(?<list>[\s\S]*?)\(OpenID/.exec(page)
    ?.groups?.list;
  const names = [...(list ?? '').matchAll(/`(?<name>\w+)`/g)].map(({ groups }) => groups?.name);
  expect(names).toEqual(profileClaims.filter((name) => name !== 'updated_at'));
});

test('the APIs and the clients on docs/clients.md have no problem', () => {
  const context = { issuer: 'https://login.example.com', audience: 'https://api.example.com' };
  const apisText = blocks.find((text) => text.startsWith('apis:')) ?? '';
  const claimsText = blocks.find((text) => text.startsWith('claims:')) ?? '';
  const model = parseAccessModel(apisText, 'docs/clients.md', context);
  expect(
    parseAccessModel(apisText.replace(/^claims:[\s\S]*/m, claimsText), 'docs/clients.md', context).claims,
  ).toEqual([
    { name: 'department', field: 'dept', scope: 'profile' },
    { name: 'on_call', field: 'on_call', scope: 'groups' },
  ]);
  const raw = blocks
    .filter((text) => text.startsWith('clients:'))
    .flatMap((text) => (parse(text) as { clients: { id: string }[] }).clients)
    .map((value) => ({ origin: 'docs/clients.md', value }));
  expect(raw.map(({ value }) => value.id)).toEqual(expect.arrayContaining(['shop', 'argocd', 'kubernetes']));
  const apis = model.apis.map(({ audience, scopes }) => ({
    audience,
    scopes: scopes.map(({ name }) => name),
  }));
  const claims = knownClaims(model, context.issuer);
  const parsed = parseClientDocuments(raw, apis, { deviceFlow: true, claims });
  expect(parsed.ok ? [] : parsed.problems.map(describeClientProblem)).toEqual([]);
});
