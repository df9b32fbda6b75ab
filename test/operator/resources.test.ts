import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { digestOf } from '../../provider/operator/secret-plan.ts';
import { withCluster } from '../support/kubernetes.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';
import { audience, type OperatorDeployment, openOperatorDeployment } from './operator-deployment.ts';

const web = { name: 'Shop', redirectUris: ['https://shop.example.com/callback'], scopes: ['openid'] };
const machine = {
  name: 'Robot',
  grants: ['client_credentials'],
  scopes: ['contracts:read'],
  defaultResource: audience,
};
const longSecret = (letter: string) => letter.repeat(43);

await withCluster('the operator on a real API server', (cluster) => {
  let at: OperatorDeployment;
  const clock = createManualClock(Date.now());
  beforeAll(async () => {
    at = await openOperatorDeployment(cluster());
    await at.start({ clock });
  });
  afterAll(() => at.close());

  const client = (id: string) => at.ports.clients.find(id);
  const idOf = (name: string) => `${at.namespace}.${name}`;
  const digests = async (id: string) => (await client(id))?.secrets.map(({ sha256 }) => sha256);

  test('a resource without a secret gets a generated one, in a Secret that it owns', async () => {
    const { metadata } = await at.apply('generated', web);
    await at.condition('generated', 'Ready', 'InUse');
    const secret = await at.secret('generated-oidc');
    expect(secret).toMatchObject({
      client_id: idOf('generated'),
      issuer: 'https://id.example.com',
      token_endpoint: 'https://id.example.com/oauth2/token',
      clientSecret: secret?.client_secret,
    });
    expect(secret?.client_secret).toMatch(/^[\w-]{43}$/);
    expect(await digests(idOf('generated'))).toEqual([digestOf(secret?.client_secret ?? '')]);
    expect(await client(idOf('generated'))).toMatchObject({
      owner: { source: 'kubernetes', name: `${at.namespace}/generated` },
      document: { ...web, id: idOf('generated') },
    });
    const { body } = await cluster().api.call({
      method: 'GET',
      path: `/api/v1/namespaces/${at.namespace}/secrets/generated-oidc`,
    });
    expect(body).toMatchObject({
      metadata: { ownerReferences: [{ uid: metadata.uid, kind: 'OIDCClient' }] },
    });
  });

  test('a generated Secret that was deleted is written again with a new secret, and the old one still works', async () => {
    await at.apply('deleted-secret', web);
    await at.condition('deleted-secret', 'Ready', 'InUse');
    const before = (await at.secret('deleted-secret-oidc'))?.client_secret ?? '';
    await at.removeSecret('deleted-secret-oidc');
    const after = await waitFor(async () => (await at.secret('deleted-secret-oidc'))?.client_secret, {
      what: 'the Secret to be written again',
    });
    expect(after).not.toBe(before);
    await waitFor(async () => (await digests(idOf('deleted-secret')))?.length === 2, {
      what: 'both digests',
    });
    expect(await digests(idOf('deleted-secret'))).toEqual([digestOf(before), digestOf(after)]);
  });

  test('the other keys of a generated Secret are repaired, and its secret stays', async () => {
    await at.apply('edited-keys', web);
    await at.condition('edited-keys', 'Ready', 'InUse');
    const before = await at.secret('edited-keys-oidc');
    await cluster().api.call({
      method: 'PATCH',
      path: `/api/v1/namespaces/${at.namespace}/secrets/edited-keys-oidc`,
      contentType: 'application/merge-patch+json',
      body: { stringData: { issuer: 'https://attacker.example' } },
    });
    await waitFor(async () => (await at.secret('edited-keys-oidc'))?.issuer === before?.issuer, {
      what: 'the issuer to be repaired',
    });
    expect(await at.secret('edited-keys-oidc')).toEqual(before);
  });

  test('a Secret of another owner is never overwritten', async () => {
    await at.writeSecret('foreign-oidc', { password: 'precious' });
    await at.apply('foreign', web);
    expect(await at.condition('foreign', 'SecretReady', 'SecretNotOurs')).toContain('foreign-oidc');
    expect(await at.secret('foreign-oidc')).toEqual({ password: 'precious' });
    expect(await client(idOf('foreign'))).toBeUndefined();
  });

  test('a late Secret is waited for, and never made up', async () => {
    await at.apply('late', { ...web, secretRef: { name: 'late-secret' } });
    expect(await at.condition('late', 'SecretReady', 'SecretNotFound')).toContain('late-secret');
    await at.condition('late', 'Ready', 'SecretNotReady');
    expect(await client(idOf('late'))).toBeUndefined();
    expect(await at.secret('late-secret')).toBeUndefined();
    await at.writeSecret('late-secret', { client_secret: longSecret('a') });
    await at.condition('late', 'Ready', 'InUse');
    expect(await digests(idOf('late'))).toEqual([digestOf(longSecret('a'))]);
  });

  test('an edited Secret takes effect, and the one before works until its overlap ends', async () => {
    await at.writeSecret('edited-secret', { password: longSecret('b') });
    await at.apply('edited', {
      ...web,
      secretRef: { name: 'edited-secret', key: 'password' },
      overlap: '1h',
    });
    await at.condition('edited', 'Ready', 'InUse');
    await at.writeSecret('edited-secret', { password: longSecret('c') });
    await waitFor(async () => (await digests(idOf('edited')))?.[1] === digestOf(longSecret('c')), {
      what: 'the new secret to be in use',
    });
    const secrets = (await client(idOf('edited')))?.secrets;
    expect(secrets).toEqual([
      { sha256: digestOf(longSecret('b')), notAfter: new Date(clock.now() + 3_600_000).toISOString() },
      { sha256: digestOf(longSecret('c')) },
    ]);
  });

  test('a deleted Secret leaves its client in use, and the condition says so', async () => {
    await at.writeSecret('gone-secret', { client_secret: longSecret('d') });
    await at.apply('gone', { ...web, secretRef: { name: 'gone-secret' } });
    await at.condition('gone', 'Ready', 'InUse');
    await at.removeSecret('gone-secret');
    expect(await at.condition('gone', 'SecretReady', 'SecretNotFound')).toContain('gone-secret');
    expect(await digests(idOf('gone'))).toEqual([digestOf(longSecret('d'))]);
  });

  test('a short secret is refused', async () => {
    await at.writeSecret('short-secret', { client_secret: 'password1' });
    await at.apply('short', { ...web, secretRef: { name: 'short-secret' } });
    const message = await at.condition('short', 'SecretReady', 'SecretTooShort');
    expect(message).not.toContain('password1');
    expect(await client(idOf('short'))).toBeUndefined();
  });

  test('the annotation rotates a generated secret once, with overlap', async () => {
    await at.apply('rotated', { ...web, overlap: '2h' });
    await at.condition('rotated', 'Ready', 'InUse');
    const before = (await at.secret('rotated-oidc'))?.client_secret ?? '';
    await at.apply('rotated', { ...web, overlap: '2h' }, { annotations: { 'gatehouse.dev/rotate': '1' } });
    const after = await waitFor(
      async () => {
        const secret = (await at.secret('rotated-oidc'))?.client_secret;
        return secret !== before && secret;
      },
      { what: 'the rotated secret' },
    );
    expect(await client(idOf('rotated'))).toMatchObject({
      secrets: [
        { sha256: digestOf(before), notAfter: new Date(clock.now() + 7_200_000).toISOString() },
        { sha256: digestOf(after) },
      ],
    });
    const { revision } = (await client(idOf('rotated'))) ?? {};
    await at.apply(
      'rotated',
      { ...web, overlap: '2h', clientUri: 'https://shop.example.com' },
      { annotations: { 'gatehouse.dev/rotate': '1' } },
    );
    await waitFor(async () => (await client(idOf('rotated')))?.revision !== revision, { what: 'the edit' });
    expect((await at.secret('rotated-oidc'))?.client_secret).toBe(after);
  });

  test('rotateAfter rotates a generated secret when it is that old', async () => {
    await at.apply('scheduled', { ...web, rotateAfter: '720h' });
    await at.condition('scheduled', 'Ready', 'InUse');
    const before = (await at.secret('scheduled-oidc'))?.client_secret;
    expect((await at.resource('scheduled'))?.status?.nextRotation).toBeDefined();
    clock.advance(720 * 3_600_000 + 1000);
    // Any change leads to a look; without one, the operator looks at the time that it computed.
    await at.apply('scheduled', { ...web, name: 'Shop 2', rotateAfter: '720h' });
    await waitFor(async () => (await at.secret('scheduled-oidc'))?.client_secret !== before, {
      what: 'the scheduled rotation',
    });
  });

  test('a bad spec after a good one leaves the good one in use, and the condition says why', async () => {
    await at.apply('bad-later', machine);
    await at.condition('bad-later', 'Ready', 'InUse');
    const good = await client(idOf('bad-later'));
    await at.apply('bad-later', { ...machine, scopes: ['contracts:raed'] });
    const message = await at.condition('bad-later', 'Ready', 'InvalidSpec');
    expect(message).toContain('did you mean "contracts:read"?');
    expect(message).toContain('The last valid spec stays in use.');
    expect(await client(idOf('bad-later'))).toEqual(good);
    await at.apply('bad-later', machine);
    await at.condition('bad-later', 'Ready', 'InUse');
  });

  test('of two resources that claim one id, the second is told who has it, and gets it when the first is gone', async () => {
    await at.apply('first', { ...web, id: 'claimed-twice' });
    await at.condition('first', 'Ready', 'InUse');
    await at.apply('second', { ...web, id: 'claimed-twice', name: 'Second' }, { namespace: at.other });
    const message = await at.condition('second', 'Accepted', 'ClientIdTaken', at.other);
    expect(message).toContain(`OIDCClient ${at.namespace}/first`);
    expect(await client('claimed-twice')).toMatchObject({ document: { name: 'Shop' } });
    await at.remove('second', at.other);
    await waitFor(async () => (await at.resource('second', at.other)) === undefined, {
      what: 'the end of the second',
    });
    expect(await client('claimed-twice')).toMatchObject({ document: { name: 'Shop' } });
    await at.apply('second', { ...web, id: 'claimed-twice', name: 'Second' }, { namespace: at.other });
    await at.condition('second', 'Accepted', 'ClientIdTaken', at.other);
    await at.remove('first');
    await at.condition('second', 'Ready', 'InUse', at.other);
    expect(await client('claimed-twice')).toMatchObject({ document: { name: 'Second' } });
  });

  test('a client of another way in is not taken over', async () => {
    await at.ports.unitOfWork.run(({ clients }) =>
      clients.put({
        id: 'of-commands',
        owner: { source: 'commands', name: 'team-a' },
        document: { ...web, id: 'of-commands' },
        secrets: [],
      }),
    );
    await at.apply('late-comer', { ...web, id: 'of-commands' });
    expect(await at.condition('late-comer', 'Accepted', 'ClientIdTaken')).toContain('team-a');
  });

  test('a first-party client needs a namespace that may have one', async () => {
    await at.apply('privileged', { ...web, firstParty: true });
    const message = await at.condition('privileged', 'Accepted', 'FirstPartyNotAllowed');
    expect(message).toContain('GATEHOUSE_OPERATOR_FIRST_PARTY');
    expect(await client(idOf('privileged'))).toBeUndefined();
  });

  test('a disabled client and a deleted one lose what they were issued', async () => {
    await at.apply('ended', web);
    await at.condition('ended', 'Ready', 'InUse');
    const version = async () => (await at.ports.clientTokenVersions.all()).get(idOf('ended')) ?? 0;
    expect(await version()).toBe(0);
    await at.apply('ended', { ...web, enabled: false });
    await waitFor(async () => (await version()) === 1, { what: 'the end of its tokens' });
    await at.apply('ended', { ...web, enabled: false, name: 'Shop 2' });
    await waitFor(async () => (await client(idOf('ended')))?.document.name === 'Shop 2', {
      what: 'the edit',
    });
    expect(await version()).toBe(1);
    await at.remove('ended');
    await waitFor(async () => (await version()) === 2, { what: 'the end at the deletion' });
  });

  test('a deleted resource deletes its client', async () => {
    await at.apply('removed', web);
    await at.condition('removed', 'Ready', 'InUse');
    await at.remove('removed');
    await waitFor(async () => (await at.resource('removed')) === undefined, {
      what: 'the end of the resource',
    });
    expect(await client(idOf('removed'))).toBeUndefined();
  });

  test('a change by a person in the store is repaired', async () => {
    await at.apply('drift', web);
    await at.condition('drift', 'Ready', 'InUse');
    const owner = { source: 'kubernetes' as const, name: `${at.namespace}/drift` };
    const good = await client(idOf('drift'));
    await at.ports.unitOfWork.run(({ clients }) =>
      clients.put({
        id: idOf('drift'),
        owner,
        document: { ...web, id: idOf('drift'), firstParty: true },
        secrets: [],
      }),
    );
    await waitFor(
      async () => {
        const { document, secrets } = (await client(idOf('drift'))) ?? {};
        expect({ document, secrets }).toEqual({ document: good?.document, secrets: good?.secrets });
        return true;
      },
      { what: 'the repair' },
    );
    await at.ports.unitOfWork.run(({ clients }) => clients.delete(idOf('drift'), owner));
    await waitFor(
      async () => (await digests(idOf('drift')))?.join() === good?.secrets.map((s) => s.sha256).join(),
      {
        what: 'the client to be back with the same secret',
      },
    );
  });

  test('a client that is deleted in the store right after it was made is made again', async () => {
    const owner = { source: 'kubernetes' as const, name: `${at.namespace}/short-lived` };
    await at.apply('short-lived', { ...web, auth: 'none' });
    await at.condition('short-lived', 'Ready', 'InUse');
    // The status that was just written leads to one more look.
    for (let count = 0; count < 5; count += 1) {
      await at.ports.unitOfWork.run(({ clients }) => clients.delete(idOf('short-lived'), owner));
      await waitFor(async () => (await client(idOf('short-lived'))) !== undefined, { what: 'the client' });
    }
  });

  test('the conditions are events too', async () => {
    await at.apply('told', { ...web, secretRef: { name: 'told-secret' } });
    await at.condition('told', 'SecretReady', 'SecretNotFound');
    await at.writeSecret('told-secret', { client_secret: longSecret('t') });
    await at.condition('told', 'Ready', 'InUse');
    const events = await waitFor(async () => {
      const path = `/api/v1/namespaces/${at.namespace}/events?fieldSelector=involvedObject.name=told`;
      const { body } = await cluster().api.call({ method: 'GET', path });
      const { items } = body as { items: { reason: string; type: string }[] };
      return items.length >= 2 && items;
    });
    expect(events.map(({ type, reason }) => `${type} ${reason}`).sort()).toEqual([
      'Normal SecretFound',
      'Warning SecretNotFound',
    ]);
  });
});
