import { createAccounts } from '../../provider/accounts/accounts.ts';
import { createConfirmAddress } from '../../provider/accounts/confirm-address.ts';
import { createHashingPool, type HashingPool } from '../../provider/accounts/hashing-pool.ts';
import { createLostFactors } from '../../provider/accounts/lost-factors.ts';
import { createWriteMail } from '../../provider/accounts/mails.ts';
import { createOneTimeTokens } from '../../provider/accounts/one-time-tokens.ts';
import { createPasskeySignIn } from '../../provider/accounts/passkey-sign-in.ts';
import { createPasskeys } from '../../provider/accounts/passkeys.ts';
import { createPasswordRules } from '../../provider/accounts/password-rules.ts';
import { createPasswords, type PasswordParams, type Passwords } from '../../provider/accounts/passwords.ts';
import { createRegister } from '../../provider/accounts/register.ts';
import type { SecondFactorPolicy } from '../../provider/accounts/second-factor-gate.ts';
import { createSecondFactors } from '../../provider/accounts/second-factors.ts';
import { createSecondStep } from '../../provider/accounts/second-step.ts';
import { createSignIn } from '../../provider/accounts/sign-in.ts';
import { createTrustedDevices } from '../../provider/accounts/trusted-devices.ts';
import { createNewEvent } from '../../provider/events/catalogue.ts';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountStore } from '../support/memory/account-store.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryMails } from '../support/memory/mails.ts';
import { MemoryOidcStore } from '../support/memory/oidc-store.ts';
import { MemoryOneTimeTokens } from '../support/memory/one-time-tokens.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryPasskeys } from '../support/memory/passkeys.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

/** Too weak for anything but tests. */
export const cheap: PasswordParams = { memoryKib: 64, passes: 1, parallelism: 1 };

/** Counts the calls of each method. */
export function counting(passwords: Passwords) {
  const calls = { hash: 0, verify: 0, verifyNothing: 0 };
  const counted: Passwords = {
    hash: (...given) => {
      calls.hash += 1;
      return passwords.hash(...given);
    },
    verify: (...given) => {
      calls.verify += 1;
      return passwords.verify(...given);
    },
    verifyNothing: (...given) => {
      calls.verifyNothing += 1;
      return passwords.verifyNothing(...given);
    },
  };
  return { calls, passwords: counted };
}

export interface WorldOptions {
  pool?: HashingPool;
  signup?: boolean;
  secondFactor?: Partial<SecondFactorPolicy>;
}

/** The accounts module over stores in memory. */
export function createWorld({ pool, signup = true, secondFactor = {} }: WorldOptions = {}) {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const store = new MemoryAccountStore({ database });
  const outbox = new MemoryOutbox({ database });
  const unitOfWork = new MemoryUnitOfWork({ database });
  const newEvent = createNewEvent({ clock });
  const usedPool = pool ?? createHashingPool({ concurrency: 2, queueLimit: 1000, clock });
  const { calls, passwords } = counting(createPasswords({ params: cheap, pool: usedPool }));
  const outcomes: string[] = [];
  const metrics = { signIns: { inc: ({ outcome }: { outcome: string }) => void outcomes.push(outcome) } };
  /** Limits that refuse nothing. The tests of limits are in test/rate-limits. */
  const rateLimits = { signIn: <T>(_: unknown, work: () => Promise<T>) => work() };
  const logged: [message: string, fields: Record<string, unknown>][] = [];
  const logger = {
    info: (fields: Record<string, unknown>, message: string) => void logged.push([message, fields]),
  };
  const passwordRules = createPasswordRules({ shortest: 8, blocklists: [] });
  const shared = { unitOfWork, passwords, passwordRules, newEvent, clock, pool: usedPool, rateLimits };
  const keys = createServerKeys(['secret']);
  const factors = createSecondFactors({ ...shared, keys, appName: 'Gatehouse' });
  const passkeys = createPasskeys({
    ...shared,
    keys,
    factors,
    relyingParty: { id: 'example.com', name: 'Gatehouse' },
    origin: 'https://login.example.com',
    passkeys: new MemoryPasskeys({ database }),
    challenges: new MemoryOidcStore({ clock }),
    writeMail: createWriteMail({ keys, clock }),
  });
  const lostFactors = createLostFactors({ newEvent, clock, hours: 72 });
  const trustedDevices = createTrustedDevices({ keys, clock, days: 30 });
  const secondStep = createSecondStep({
    ...shared,
    keys,
    factors,
    passkeys,
    trustedDevices,
    lostFactors,
    metrics,
    logger,
  });
  const policy = { mode: 'optional', roles: [], ...secondFactor } as const;
  const confirmAddress = createConfirmAddress({
    ...shared,
    accounts: store,
    keys,
    tokens: createOneTimeTokens({ keys, clock, oneTimeTokens: new MemoryOneTimeTokens({ database }) }),
    graceDays: undefined,
    issuer: 'https://login.example.com',
    writeMail: undefined,
    secondFactor: secondStep.gate,
    policy,
    metrics,
    logger,
  });
  const passkeySignIn = createPasskeySignIn({
    ...shared,
    accounts: store,
    keys,
    passkeys,
    factors,
    metrics,
    logger,
    refuseUnconfirmed: confirmAddress.refuseUnconfirmed,
  });
  const { refuseUnconfirmed } = confirmAddress;
  const signIn = createSignIn({
    ...shared,
    accounts: store,
    metrics,
    logger,
    secondFactor: secondStep.gate,
    policy,
    refuseUnconfirmed,
  });
  return {
    ...shared,
    store,
    calls,
    outcomes,
    metrics,
    keys,
    factors,
    passkeys,
    passkeySignIn,
    mails: new MemoryMails({ database }),
    secondStep,
    secondFactor: secondStep.gate,
    policy,
    refuseUnconfirmed,
    logged,
    logger,
    accounts: createAccounts({
      ...shared,
      accounts: store,
      permissionsByRole: { CLIENT: ['contracts:read'], ADMIN: ['contracts:write', 'contracts:read'] },
    }),
    signIn: inRequest(signIn),
    register: createRegister({ ...shared, enabled: signup, roles: ['CLIENT'], logger }),
    /** All events that are not published yet, in order. Marks them as published, so that the next events of a subject follow. */
    events: async () => {
      const all = [];
      for (let batch = await claim(); batch.length > 0; batch = await claim()) all.push(...batch);
      return all;
      async function claim() {
        const batch = await outbox.claim(1000, clock.now(), 1000);
        await outbox.markPublished(
          batch.map(({ id }) => id),
          clock.now(),
        );
        return batch;
      }
    },
  };
}

/** Runs the work as in a request from the given address and browser. */
export const inRequest =
  <Input extends object, Result>(call: (input: Input) => Promise<Result>) =>
  ({ ip, userAgent, ...input }: Input & { ip: string; userAgent: string | undefined }): Promise<Result> =>
    runInRequestScope({ requestId: 'r', clientAddress: ip, userAgent }, () =>
      call(input as unknown as Input),
    );

export type World = ReturnType<typeof createWorld>;

export const john = { email: 'john@example.com', password: 'correct-horse-battery' };

export const from = { clientId: 'demo-web', ip: '192.0.2.7', userAgent: 'Mozilla/5.0' };

/** Adds an active account with the world's parameters, and publishes its `user.created`. */
export async function addJohn(world: World) {
  const account = await world.accounts.create({
    ...john,
    roles: ['CLIENT'],
    metadata: {},
    emailVerified: true,
  });
  if (account === undefined) throw new Error('the address is taken');
  await world.events();
  return account;
}
