import { beforeAll, describe, expect, test } from '@jest/globals';
import { describeSignIns, type ListedSignIn } from '../../provider/interactions/account/describe-sign-ins.ts';
import { createPages } from '../../provider/interactions/pages.ts';
import type { Renderer } from '../../provider/interactions/render.ts';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import { sessionHandle } from '../../provider/oidc/sessions/sign-ins.ts';
import type { Account } from '../../provider/ports/account-store.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const at = Date.UTC(2026, 10, 2, 9, 30, 59, 999);
const since = { iso: '2026-11-02T09:30:59.999Z', text: '2026-11-02 09:30 UTC' };

let renderer: Renderer;
beforeAll(() => {
  renderer = createPages({ appName: 'Gatehouse' }).for({});
});

const session = { uid: 'mine', account: {} as Account, startedAt: at, amr: ['pwd'] };
const signIn = (changes: Partial<ListedSignIn>): ListedSignIn => ({
  kind: 'session',
  id: 'other',
  startedAt: at,
  lastUsedAt: at,
  userAgent: firefox,
  ...changes,
});
const family = (changes: Partial<ListedSignIn>) =>
  signIn({ kind: 'family', id: 'fam', clientId: 'web', userAgent: 'node', ...changes });
const described = (signIns: ListedSignIn[], isFirst = true) =>
  describeSignIns(
    {
      app: (id) => (id === 'web' ? { name: 'Web', firstParty: false } : undefined),
      now: () => at,
      sessionHandle,
    },
    renderer,
    session,
    { signIns, isFirst },
  );

describe('the sign-ins on the account page', () => {
  test('begin with the browser of the request, even if it is not listed yet', () => {
    const scope = { requestId: 'r', clientAddress: '192.0.2.1', userAgent: firefox };
    const { browsers } = runInRequestScope(scope, () => described([signIn({})]));
    expect(browsers).toEqual([
      {
        id: sessionHandle('mine'),
        name: 'Firefox on Linux',
        ip: '192.0.2.1',
        isHere: true,
        apps: [],
        since,
        lastUsed: since,
      },
      expect.objectContaining({ id: 'other', isHere: false, ip: undefined }),
    ]);
  });

  test('name each app once, at the browser it ends with, or separately if the browser isn’t listed', () => {
    const { browsers, apps } = described([
      signIn({}),
      signIn({ id: sessionHandle('mine'), userAgent: undefined }),
      family({ sessionId: sessionHandle('mine') }),
      family({ sessionId: sessionHandle('mine') }),
      family({ sessionId: 'other', clientId: 'gone' }),
      family({ id: 'free' }),
      family({ id: 'lost', sessionId: 'nobody listed', userAgent: firefox }),
    ]);
    expect(browsers.map(({ name, apps: opened }) => [name, opened])).toEqual([
      ['Unknown browser', ['Web']],
      ['Firefox on Linux', ['gone']],
    ]);
    expect(apps.map(({ id, name, browser }) => [id, name, browser])).toEqual([
      ['free', 'Web', undefined],
      ['lost', 'Web', 'Firefox on Linux'],
    ]);
  });

  test('of a later page leave out the browser of the request, and list its apps separately', () => {
    const { browsers, apps } = described(
      [
        signIn({ id: sessionHandle('mine') }),
        signIn({}),
        family({ id: 'here', sessionId: sessionHandle('mine') }),
        family({ id: 'there', sessionId: 'other' }),
      ],
      false,
    );
    expect(browsers.map(({ id, apps: opened }) => [id, opened])).toEqual([['other', ['Web']]]);
    expect(apps.map(({ id }) => id)).toEqual(['here']);
  });
});
