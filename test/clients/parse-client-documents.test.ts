import { expect, test } from '@jest/globals';
import {
  describeClientProblem,
  parseClientDocuments,
} from '../../provider/clients/parse-client-documents.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';
import { deviceCodeGrant } from '../../provider/lib/device-code-grant.ts';
import { apis, publicClient, settings, webClient } from './client-documents.ts';

const raw = (...values: unknown[]) =>
  values.map((value, index) => ({ origin: `clients.yaml:${index + 1}`, value }));

const linesOf = (...values: unknown[]) => {
  const parsed = parseClientDocuments(raw(...values), apis, settings);
  return parsed.ok ? [] : parsed.problems.map(describeClientProblem);
};

test('returns all documents, each with its origin', () => {
  const parsed = parseClientDocuments(raw(webClient(), publicClient({ id: 'spa' })), apis, settings);
  const clients = parsed.ok ? parsed.documents.map(({ origin, document }) => [origin, document.id]) : [];
  expect(clients).toEqual([
    ['clients.yaml:1', 'web'],
    ['clients.yaml:2', 'spa'],
  ]);
});

test('returns no documents for an empty source', () => {
  expect(parseClientDocuments([], apis, settings)).toEqual({ ok: true, documents: [] });
});

test('lists all problems of all documents at once, with place, client and field', () => {
  const lines = linesOf(webClient({ pkce: 'never' }), 'nonsense', webClient({ id: 'x', name: '' }));
  expect(lines).toEqual([
    expect.stringMatching(/^clients\.yaml:1: client web: \/pkce Invalid option/),
    'clients.yaml:2: a client without a valid id: the document must be a map of fields',
    'clients.yaml:3: a client without a valid id: /id must be 2 to 128 of the characters A-Z a-z 0-9 . _ -',
    'clients.yaml:3: a client without a valid id: /name must not be empty',
  ]);
});

test('reports a duplicate id, even if a document has other problems', () => {
  expect(linesOf(webClient({ name: '' }), webClient(), webClient())).toEqual([
    'clients.yaml:1: client web: /name must not be empty',
    'clients.yaml:2: client web: /id is taken: clients.yaml:1 defines the same client. Remove one of the two',
    'clients.yaml:3: client web: /id is taken: clients.yaml:1 defines the same client. Remove one of the two',
  ]);
});

test('compares ids case-sensitively', () => {
  expect(linesOf(webClient(), webClient({ id: 'WEB' }))).toEqual([]);
});

test.each([['device_code'], [deviceCodeGrant]])('requires a setting for %s', (grant) => {
  const documents = raw(publicClient({ grants: ['authorization_code', grant] }));
  expect(parseClientDocuments(documents, apis, settings).ok).toBe(true);
  const parsed = parseClientDocuments(documents, apis, { ...settings, deviceFlow: false });
  expect(parsed.ok ? [] : parsed.problems.map(describeClientProblem)).toEqual([
    'clients.yaml:1: client web: /grants/1 device_code is off here: set GATEHOUSE_DEVICE_FLOW=true, or remove it',
  ]);
});

test('refuses more claims than fit into an id token, by their largest values', () => {
  const names = Array.from({ length: 20 }, (_, n) => `claim_${n}`);
  const claims = knownClaims(
    { apis: [], roles: {}, claims: names.map((name) => ({ name, field: name, scope: 'profile' })) },
    'https://login.example.com',
  );
  const problemsWith = (count: number) => {
    const document = webClient({ idTokenClaims: names.slice(0, count) });
    const parsed = parseClientDocuments(raw(document), apis, { deviceFlow: true, claims });
    return parsed.ok ? [] : parsed.problems.map(describeClientProblem);
  };
  expect(problemsWith(12)).toEqual([]);
  expect(problemsWith(20)).toEqual([
    expect.stringMatching(
      /^clients\.yaml:1: client web: \/idTokenClaims are too much for one token: an id token could have \d{4} bytes, and more than 6144 don't fit/,
    ),
  ]);
});
