import { expect, test } from '@jest/globals';
import { createAccounts } from '../../provider/accounts/accounts.ts';
import { createChangePassword } from '../../provider/accounts/change-password.ts';
import { createWriteMail } from '../../provider/accounts/mails.ts';
import { openMail } from '../../provider/lib/mail-content.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { Mail } from '../../provider/ports/mails.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { addJohn, createWorld, john } from './account-world.ts';

const keys = createServerKeys(['a-secret-for-tests-of-the-mails-0']);
const next = 'a longer walk along the river';

/** The world, with mail on or off, and the mails of transactions that were committed. */
function createMailWorld({ on = true } = {}) {
  const world = createWorld();
  const mails: Mail[] = [];
  const unitOfWork: UnitOfWork = {
    run: async (work) => {
      const added: Mail[] = [];
      const result = await world.unitOfWork.run((stores) =>
        work(
          Object.assign(Object.create(stores), {
            mails: { add: async (mail: Mail) => void added.push(mail) },
          }),
        ),
      );
      mails.push(...added);
      return result;
    },
  };
  const writeMail = on ? createWriteMail({ keys, clock: world.clock }) : undefined;
  const deps = { ...world, accounts: world.store, unitOfWork, writeMail };
  return {
    world,
    mails,
    changePassword: createChangePassword(deps),
    accounts: createAccounts({ ...deps, permissionsByRole: {} }),
  };
}

test('a changed password writes one mail, for three days, whose content is sealed under its id', async () => {
  const { world, mails, changePassword } = createMailWorld();
  const { id: accountId, tokenVersion } = await addJohn(world);
  await changePassword({ accountId, tokenVersion, current: john.password, next, language: 'de' });
  const at = world.clock.now();
  expect(mails).toEqual([
    {
      id: expect.stringMatching(/^mail_/),
      kind: 'password-changed',
      accountId,
      content: expect.any(String),
      createdAt: at,
      expiresAt: at + 3 * 86_400_000,
    },
  ]);
  const [{ id, content } = { id: '', content: '' }] = mails;
  expect(content).not.toContain('john');
  expect(Buffer.from(content, 'base64url').toString('latin1')).not.toContain('john');
  const opened = { to: john.email, language: 'de', model: { email: john.email, at } };
  expect(openMail(keys, id, content)).toEqual(opened);
  expect(() => openMail(keys, 'mail_other', content)).toThrow('cannot be read');
  const others = createServerKeys(['another-secret-for-tests-of-mails']);
  expect(() => openMail(others, id, content)).toThrow('cannot be read');
});

test('a password that an administrator sets writes one, in the locale of the account', async () => {
  const { world, mails, accounts } = createMailWorld();
  const account = await addJohn(world);
  await world.unitOfWork.run(async (stores) => {
    await stores.accounts.update(account.id, { metadata: { locale: 'de-AT' } }, world.clock.now());
  });
  await accounts.setPassword(account.id, next);
  expect(mails.map(({ id, content }) => openMail(keys, id, content).language)).toEqual(['de-AT']);
  await accounts.setRoles(account.id, []);
  await accounts.signOutEverywhere(account.id);
  expect(mails).toHaveLength(1);
});

test('a refused change writes none, and neither does any change while mail is off', async () => {
  const { world, mails, changePassword } = createMailWorld();
  const { id: accountId, tokenVersion } = await addJohn(world);
  const wrong = { accountId, tokenVersion, current: 'not the password', next };
  await expect(changePassword(wrong)).rejects.toMatchObject({ code: 'invalid_credentials' });
  const late = { accountId, tokenVersion: tokenVersion + 1, current: john.password, next };
  await expect(changePassword(late)).rejects.toMatchObject({ code: 'session_ended' });
  expect(mails).toEqual([]);

  const off = createMailWorld({ on: false });
  const account = await addJohn(off.world);
  await off.accounts.setPassword(account.id, next);
  expect(off.mails).toEqual([]);
});
