import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accountClient } from '../../provider/clients/account-client.ts';
import { accountClientId } from '../../provider/clients/client-document.ts';
import {
  type ClientRegistry,
  type ClientRegistryOptions,
  createClientRegistry,
} from '../../provider/clients/client-registry.ts';
import { ConfigurationError, StoreUnavailable } from '../../provider/lib/errors.ts';
import { protocolScopes } from '../../provider/lib/oidc-scopes.ts';
import type { RawClientDocument } from '../../provider/ports/client-source.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryClientSource } from '../support/memory/client-source.ts';
import { MemorySecrets } from '../support/memory/secrets.ts';
import { waitFor } from '../support/wait-for.ts';
import { apis, claims, publicClient, webClient } from './client-documents.ts';

const firstParty = publicClient({ id: 'own', firstParty: true });

describe('createClientRegistry', () => {
  let yaml: MemoryClientSource;
  let stored: MemoryClientSource;
  let secrets: MemorySecrets;
  let lines: { level: string; source: unknown; problems: string[] }[];
  let gauges: Record<string, number>;
  let registry: ClientRegistry | undefined;

  beforeEach(() => {
    yaml = new MemoryClientSource({ name: 'yaml', values: [webClient()] });
    stored = new MemoryClientSource({ name: 'stored' });
    secrets = new MemorySecrets({ secrets: { 'env:A': 'secret of A' } });
    lines = [];
    gauges = {};
    registry = undefined;
  });
  afterEach(() => registry?.close());

  const open = async (more: Partial<ClientRegistryOptions> = {}) => {
    const write = (level: string) => (fields: Record<string, unknown>) => {
      lines.push({ level, source: fields.source, problems: [fields.problems ?? []].flat().map(String) });
    };
    const gauge = (name: string) => ({
      set: (value: number, { source }: { source: string }) => {
        gauges[`${name} ${source}`] = value;
      },
    });
    const count = ({ source }: { source: string }) => {
      gauges[`failures ${source}`] = (gauges[`failures ${source}`] ?? 0) + 1;
    };
    registry = await createClientRegistry({
      sources: [yaml, stored],
      apis,
      protocolScopes,
      deviceFlow: false,
      claims,
      secrets,
      clock: createManualClock(),
      logger: { info: write('info'), warn: write('warn') },
      metrics: {
        clientsLoaded: gauge('loaded'),
        clientsStale: gauge('stale'),
        clientsReloadFailures: { inc: count },
      },
      ...more,
    });
    return registry;
  };
  const ids = (from: ClientRegistry) => from.all().map(({ id }) => id);
  /** Resolves when all changes made so far have been loaded. */
  const settled = (of: ClientRegistry) => of.refreshSecrets();

  const problemsAtStart = async (more: Partial<ClientRegistryOptions> = {}): Promise<string[]> => {
    const error = await open(more).catch((thrown) => thrown);
    if (error instanceof ConfigurationError) return error.problems;
    throw new Error('it started', { cause: error });
  };

  test('finds the clients of all sources', async () => {
    stored.replace([publicClient({ id: 'spa' })]);
    const clients = await open();
    expect(ids(clients)).toEqual(['web', 'spa']);
    expect(clients.find('spa')).toMatchObject({ id: 'spa', auth: 'none' });
    expect(clients.find('nobody')).toBeUndefined();
    expect(clients.secretMatches('web', 'a-secret')).toBe(true);
    expect(lines).toEqual([]);
    expect(gauges).toMatchObject({ 'loaded yaml': 1, 'loaded stored': 1, 'stale yaml': 0 });
  });

  test('refuses to start and reports all problems of all sources at once', async () => {
    yaml.replace([webClient({ name: '' }), webClient({ id: 'b1', secrets: [] })]);
    stored.spoil('not YAML in line 3');
    expect(await problemsAtStart()).toEqual([
      'yaml[0]: client web: /name must not be empty',
      expect.stringMatching(/^yaml\[1\]: client b1: \/secrets /),
      'stored: not YAML in line 3',
    ]);
  });

  test('refuses to start if a secret is missing', async () => {
    yaml.replace([webClient({ secrets: [{ ref: 'env:NONE' }] })]);
    expect(await problemsAtStart()).toEqual([
      expect.stringMatching(/^yaml\[0\]: client web: \/secrets\/0\/ref can't be read: .*env:NONE/),
    ]);
  });

  test('throws the error of an unreachable source at the start, so that the caller can retry', async () => {
    stored.load = async () => {
      throw new StoreUnavailable('postgres', undefined);
    };
    await expect(open()).rejects.toThrow(StoreUnavailable);
  });

  test('uses the new documents of a changed source', async () => {
    const clients = await open();
    yaml.replace([webClient({ name: 'New' }), publicClient({ id: 'spa' })]);
    await settled(clients);
    expect(clients.find('web')?.name).toBe('New');
    expect(ids(clients)).toEqual(['web', 'spa']);
    yaml.replace([]);
    await settled(clients);
    expect(ids(clients)).toEqual([]);
    expect(clients.secretMatches('web', 'a-secret')).toBe(false);
  });

  const badChanges: [what: string, change: () => void][] = [
    ['a bad document', () => yaml.replace([webClient({ name: 'New' }), publicClient({ id: 'user_1' })])],
    ['a missing secret', () => yaml.replace([webClient({ name: 'New', secrets: [{ ref: 'env:NONE' }] })])],
    ['an unreadable source', () => yaml.spoil('not YAML')],
    [
      'an unreachable source',
      () => {
        yaml.load = async () => {
          throw new StoreUnavailable('postgres', undefined);
        };
        yaml.replace([]);
      },
    ],
  ];

  test.each(badChanges)(
    'keeps the last good documents of a source after %s, and logs it once',
    async (_, change) => {
      const clients = await open();
      change();
      await settled(clients);
      stored.replace([publicClient({ id: 'spa' })]);
      await settled(clients);
      expect(clients.find('web')?.name).toBe('Web');
      expect(clients.secretMatches('web', 'a-secret')).toBe(true);
      expect(ids(clients)).toEqual(['web', 'spa']);
      expect(lines).toEqual([{ level: 'warn', source: 'yaml', problems: [expect.any(String)] }]);
      expect(gauges).toMatchObject({ 'stale yaml': 1, 'stale stored': 0 });
      expect(gauges['failures yaml']).toBeGreaterThan(0);
    },
  );

  test('logs that the problem is gone after the next good change', async () => {
    const clients = await open();
    yaml.spoil('not YAML');
    await settled(clients);
    yaml.replace([webClient({ name: 'New' })]);
    await settled(clients);
    expect(clients.find('web')?.name).toBe('New');
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(gauges).toMatchObject({ 'stale yaml': 0 });
  });

  test('uses the first source if two define the same id, and logs a warning for the second', async () => {
    stored.replace([webClient({ name: 'Other' }), publicClient({ id: 'spa' })]);
    const clients = await open();
    expect(clients.find('web')?.name).toBe('Web');
    expect(ids(clients)).toEqual(['web', 'spa']);
    expect(lines).toEqual([
      {
        level: 'warn',
        source: 'stored',
        problems: ['stored[0]: client web: ignored, because yaml[0] defines it too'],
      },
    ]);
    expect(gauges).toMatchObject({ 'loaded yaml': 1, 'loaded stored': 1 });
    yaml.replace([]);
    await settled(clients);
    expect(clients.find('web')?.name).toBe('Other');
  });

  describe('a source whose documents count each by itself', () => {
    beforeEach(() => {
      stored = new MemoryClientSource({ name: 'stored', eachByItself: true });
    });

    test('leaves out a bad document at the start, and reports it', async () => {
      stored.replace([
        publicClient({ id: 'good' }),
        publicClient({ id: 'bad', scopes: ['openid', 'no:such'] }),
        webClient({ id: 'unread', secrets: [{ ref: 'env:NONE' }] }),
      ]);
      const clients = await open();
      expect(ids(clients)).toEqual(['web', 'good']);
      expect(lines).toEqual([
        {
          level: 'warn',
          source: 'stored',
          problems: [
            expect.stringMatching(/^stored\[1\]: client bad: \/scopes\/1 .*no:such/),
            expect.stringMatching(/^stored\[2\]: client unread: \/secrets\/0\/ref can't be read/),
          ],
        },
      ]);
      expect(gauges).toMatchObject({ 'stale stored': 1, 'loaded stored': 1 });
    });

    test('keeps the last good version of a bad document, and uses the changes of all others', async () => {
      stored.replace(['one', 'two', 'three'].map((id) => publicClient({ id, name: 'Old' })));
      const clients = await open();
      stored.replace([
        publicClient({ id: 'one', name: 'New' }),
        publicClient({ id: 'two', name: 'New', scopes: ['no:such'] }),
        publicClient({ id: 'four', name: 'New' }),
      ]);
      await settled(clients);
      const names = clients.all().map(({ id, name }) => `${id} ${name}`);
      expect(names.sort()).toEqual(['four New', 'one New', 'two Old', 'web Web']);
      stored.replace([publicClient({ id: 'two', name: 'Newer' })]);
      await settled(clients);
      expect(clients.find('two')?.name).toBe('Newer');
      expect(gauges).toMatchObject({ 'stale stored': 0 });
    });

    test('keeps all documents while it can not be reached', async () => {
      stored.replace([publicClient({ id: 'one' })]);
      const clients = await open();
      const load = stored.load.bind(stored);
      stored.load = async () => {
        throw new StoreUnavailable('postgres', undefined);
      };
      stored.replace([]);
      await settled(clients);
      expect(ids(clients)).toEqual(['web', 'one']);
      stored.load = load;
      await clients.reload();
      expect(ids(clients)).toEqual(['web']);
    });

    test('is used before a file: the entry of the file is left out, and the log names the owner', async () => {
      const shared = publicClient({ id: 'web', name: 'Stored' });
      stored.load = async () => [{ origin: 'clients apply (owner default)', value: shared }];
      const clients = await open({ sources: [stored, yaml] });
      expect(clients.find('web')?.name).toBe('Stored');
      const problem = 'yaml[0]: client web: ignored, because clients apply (owner default) defines it too';
      expect(lines).toEqual([{ level: 'warn', source: 'yaml', problems: [problem] }]);
      expect(gauges).toMatchObject({ 'stale yaml': 1, 'stale stored': 0 });
    });
  });

  test('a disabled client is not found, its origins do not count, and no later source replaces it', async () => {
    const origins = ['https://spa.example.com'];
    yaml.replace([webClient(), publicClient({ id: 'spa', origins })]);
    const loaded: string[][] = [];
    const clients = await open({
      loaded: (source, documents) => {
        if (source.name === 'yaml') loaded.push(documents.map(({ id }) => id));
      },
    });
    expect(clients.isAllowedOrigin(origins[0] ?? '')).toBe(true);
    stored.replace([webClient({ name: 'Other' })]);
    yaml.replace([webClient({ enabled: false }), publicClient({ id: 'spa', origins, enabled: false })]);
    await settled(clients);
    expect([clients.find('web'), clients.metadata('web')]).toEqual([undefined, undefined]);
    expect(clients.findAny('web')).toMatchObject({ name: 'Web', enabled: false });
    expect(clients.isAllowedOrigin(origins[0] ?? '')).toBe(false);
    expect([loaded[0], loaded.at(-1)]).toEqual([
      ['web', 'spa'],
      ['web', 'spa'],
    ]);
    expect(gauges).toMatchObject({ 'loaded yaml': 0 });
  });

  test('reads replaced secrets without a load of the documents', async () => {
    yaml.replace([webClient({ secrets: [{ ref: 'env:A' }] })]);
    const clients = await open();
    let loads = 0;
    const load = yaml.load.bind(yaml);
    yaml.load = () => {
      loads += 1;
      return load();
    };
    secrets.set('env:A', 'new secret');
    await clients.refreshSecrets();
    expect(clients.secretMatches('web', 'secret of A')).toBe(false);
    expect(clients.secretMatches('web', 'new secret')).toBe(true);
    expect(loads).toBe(0);
    secrets.set('env:A', '');
    await clients.refreshSecrets();
    expect(clients.secretMatches('web', 'new secret')).toBe(true);
    expect(lines[0]?.problems[0]).toMatch(/the value read last stays in use$/);
  });

  test('never runs two loads in parallel, and ends with the last of many fast changes', async () => {
    const clients = await open();
    const load = yaml.load.bind(yaml);
    let loading = 0;
    let most = 0;
    let loads = 0;
    yaml.load = async (): Promise<RawClientDocument[]> => {
      loads += 1;
      loading += 1;
      most = Math.max(most, loading);
      const documents = await load();
      await new Promise((resolve) => setImmediate(resolve));
      loading -= 1;
      return documents;
    };
    for (let turn = 1; turn <= 50; turn += 1) yaml.replace([webClient({ name: `Web ${turn}` })]);
    await waitFor(() => clients.find('web')?.name === 'Web 50', { what: 'the last change' });
    await settled(clients);
    expect(most).toBe(1);
    expect(loads).toBeLessThan(5);
  });

  test('reload loads all sources again', async () => {
    const clients = await open();
    yaml.load = async () => [{ origin: 'x', value: webClient({ name: 'Reloaded' }) }];
    await clients.reload();
    expect(clients.find('web')?.name).toBe('Reloaded');
  });

  test('loads no change after it was closed', async () => {
    const clients = await open();
    await clients.close();
    let loads = 0;
    yaml.load = async () => {
      loads += 1;
      return [];
    };
    yaml.replace([]);
    await clients.reload();
    expect(loads).toBe(0);
    expect(ids(clients)).toEqual(['web']);
  });

  describe('a built-in client', () => {
    const builtIn = [
      accountClient({ name: 'Gatehouse', redirectUri: 'https://login.example/account/signed-in' }),
    ];

    test('is found and has metadata, but has no secret and is in no list and no metric', async () => {
      const clients = await open({ builtIn });
      expect(clients.find(accountClientId)).toEqual(builtIn[0]);
      expect(ids(clients)).toEqual(['web']);
      expect(gauges).toMatchObject({ 'loaded yaml': 1, 'loaded stored': 0 });
      for (const secret of ['', 'undefined', accountClientId, 'a-secret'])
        expect(clients.secretMatches(accountClientId, secret)).toBe(false);
      expect(clients.metadata(accountClientId)).toMatchObject({
        client_id: accountClientId,
        client_name: 'Gatehouse',
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: 'openid',
      });
    });

    test('cannot be defined by a document, neither at the start nor later', async () => {
      yaml.replace([webClient(), publicClient({ id: accountClientId })]);
      expect(await problemsAtStart({ builtIn })).toEqual([
        expect.stringMatching(
          /^yaml\[1\]: a client without a valid id: \/id must not be "gatehouse-account"/,
        ),
      ]);
      yaml.replace([webClient()]);
      const clients = await open({ builtIn });
      yaml.replace([webClient({ name: 'New' }), publicClient({ id: accountClientId })]);
      await settled(clients);
      expect(clients.find(accountClientId)).toEqual(builtIn[0]);
      expect(clients.find('web')?.name).toBe('Web');
    });

    test('cannot be the default client', async () => {
      await open({ builtIn, defaultClientId: accountClientId });
      expect(lines[0]?.problems).toEqual([expect.stringMatching(/gatehouse-account is in no source/)]);
    });
  });

  describe('the default client', () => {
    test('can be any first-party client of a source', async () => {
      yaml.replace([webClient(), firstParty]);
      expect((await open({ defaultClientId: 'own' })).find('own')?.firstParty).toBe(true);
      expect(lines).toEqual([]);
    });

    test('is optional', async () => {
      yaml.replace([firstParty]);
      await open();
      expect(lines).toEqual([]);
    });

    test.each([
      ['own', /own is in no source/],
      ['web', /web must be first-party/],
    ])('is reported and stops no start when it cannot be used (%s)', async (defaultClientId, problem) => {
      await open({ defaultClientId });
      expect(lines[0]?.problems).toEqual([expect.stringMatching(problem)]);
    });

    test('may come into a source after the start', async () => {
      const clients = await open({ defaultClientId: 'own' });
      expect(lines.at(-1)?.problems).toHaveLength(1);
      stored.replace([firstParty]);
      await settled(clients);
      expect(clients.find('own')?.firstParty).toBe(true);
      expect(lines.at(-1)).toMatchObject({ level: 'info' });
    });

    test('is logged as missing after its source removed it', async () => {
      yaml.replace([firstParty]);
      const clients = await open({ defaultClientId: 'own' });
      yaml.replace([]);
      await settled(clients);
      expect(clients.find('own')).toBeUndefined();
      expect(lines[0]?.problems).toEqual([expect.stringMatching(/own is in no source/)]);
    });
  });

  describe('metadata', () => {
    test('has the names of RFC 7591, and only scopes that the provider lists', async () => {
      yaml.replace([webClient({ scopes: ['openid', 'contracts:read'] })]);
      const clients = await open();
      expect(clients.metadata('web')).toMatchObject({
        client_id: 'web',
        redirect_uris: ['https://app.example.com/callback'],
        scope: 'openid',
      });
      expect(clients.metadata('nobody')).toBeUndefined();
    });

    test('is the same object until the document changes', async () => {
      const clients = await open();
      const before = clients.metadata('web');
      await clients.refreshSecrets();
      expect(clients.metadata('web')).toBe(before);
      yaml.replace([webClient({ name: 'New' })]);
      await settled(clients);
      expect(clients.metadata('web')?.client_name).toBe('New');
      expect(clients.metadata('web')).toBe(clients.metadata('web'));
    });
  });

  test('allows the origins of current public clients, and follows changes', async () => {
    stored.replace([publicClient({ id: 'spa', origins: ['https://spa.example'] })]);
    const clients = await open();
    expect(clients.isAllowedOrigin('https://spa.example')).toBe(true);
    for (const other of ['https://spa.example/', 'https://app.example.com', 'null', ''])
      expect(clients.isAllowedOrigin(other)).toBe(false);
    yaml.replace([publicClient({ id: 'spa', origins: ['https://new.example'] })]);
    await settled(clients);
    expect(clients.isAllowedOrigin('https://new.example')).toBe(true);
    expect(clients.isAllowedOrigin('https://spa.example')).toBe(false);
  });

  test('finds a disabled client only by `findAny`, and gives neither its metadata nor its origins', async () => {
    const spa = { id: 'spa', firstParty: true, origins: ['https://spa.example'] };
    stored.replace([publicClient({ ...spa, enabled: false })]);
    const clients = await open({ defaultClientId: 'spa' });
    expect([clients.find('spa'), clients.metadata('spa')]).toEqual([undefined, undefined]);
    expect(clients.findAny('spa')?.enabled).toBe(false);
    expect(clients.all().map(({ id }) => id)).toContain('spa');
    expect(clients.isAllowedOrigin('https://spa.example')).toBe(false);
    stored.replace([publicClient(spa)]);
    await settled(clients);
    expect(clients.find('spa')).toBe(clients.findAny('spa'));
    expect(clients.metadata('spa')?.client_id).toBe('spa');
  });

  test('returns the same list of all clients until they change', async () => {
    const clients = await open();
    expect(clients.all()).toBe(clients.all());
    yaml.replace([]);
    await settled(clients);
    expect(clients.all()).toEqual([]);
  });

  test('passes the last good documents of each source to `loaded` after every load', async () => {
    const calls: string[] = [];
    const clients = await open({
      loaded: (source, documents) => calls.push(`${source.name}: ${documents.map(({ id }) => id).join(' ')}`),
    });
    expect(calls).toEqual(['yaml: web', 'stored: ']);
    await clients.refreshSecrets();
    expect(calls).toHaveLength(2);
    yaml.spoil('not YAML');
    await settled(clients);
    expect(calls.slice(2)).toEqual(['yaml: web', 'stored: ']);
  });
});
