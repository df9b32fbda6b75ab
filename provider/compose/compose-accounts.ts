import { createAccounts } from '../accounts/accounts.ts';
import { createAppPasskeys } from '../accounts/app-passkeys.ts';
import { createConfirmAddress } from '../accounts/confirm-address.ts';
import { createCostlyLane, createHashingPool, type HashingPoolOptions } from '../accounts/hashing-pool.ts';
import { createInvitations } from '../accounts/invitations.ts';
import { createLostFactors } from '../accounts/lost-factors.ts';
import { createOneTimeTokens } from '../accounts/one-time-tokens.ts';
import { createPasskeySignIn } from '../accounts/passkey-sign-in.ts';
import { createPasskeys } from '../accounts/passkeys.ts';
import { createPasswordRules, type PasswordRules } from '../accounts/password-rules.ts';
import { createPasswords, passwordParams } from '../accounts/passwords.ts';
import { createRegister, type Register } from '../accounts/register.ts';
import type { SecondFactorPolicy } from '../accounts/second-factor-gate.ts';
import { createSecondFactors } from '../accounts/second-factors.ts';
import { createSecondStep } from '../accounts/second-step.ts';
import { createSignIn } from '../accounts/sign-in.ts';
import { createTrustedDevices } from '../accounts/trusted-devices.ts';
import { originsOfApps } from '../config/app-identities.ts';
import type { Config } from '../config/schema.ts';
import type { PasswordBlocklist } from '../ports/password-blocklist.ts';
import type { ComposeDeps, Parts } from './compose-deps.ts';

export interface AccountParts
  extends Pick<
    Parts,
    | 'passwords'
    | 'passwordRules'
    | 'accounts'
    | 'factors'
    | 'passkeys'
    | 'passkeySignIn'
    | 'appPasskeys'
    | 'appOrigins'
    | 'secondStep'
    | 'signIn'
    | 'oneTimeTokens'
    | 'confirmAddress'
    | 'invitations'
  > {
  register: Register;
}

type AccountDeps = ComposeDeps &
  Pick<Parts, 'serverSecrets' | 'unitOfWork' | 'newEvent' | 'writeMail' | 'rateLimits'>;

const policyOf = ({ secondFactor: mode, secondFactorRoles = [] }: Config): SecondFactorPolicy => ({
  mode,
  roles: secondFactorRoles,
});

/** The rules for new passwords, by the settings. Commands use them too. */
export const composePasswordRules = (
  config: Config,
  blocklists: readonly PasswordBlocklist[],
): PasswordRules =>
  createPasswordRules({
    shortest: config.passwordMinLength,
    secondFactor: { shortest: config.passwordMinLengthWithSecondFactor, policy: policyOf(config) },
    blocklists,
  });

/** Assembles accounts, their passwords and second factors, sign-in and sign-up. */
export function composeAccounts(deps: AccountDeps): AccountParts {
  const { config, ports, accessModel, serverSecrets, rateLimits, metrics } = deps;
  const hashing: HashingPoolOptions = {
    concurrency: config.hashingConcurrency,
    queueLimit: config.hashingQueue,
    clock: deps.clock,
    metrics,
    caller: rateLimits.hashingCaller,
    onHashed: rateLimits.hashed,
    tracing: deps.tracing,
  };
  const pool = createHashingPool(hashing);
  const costlyLane = createCostlyLane(pool, hashing);
  const passwords = createPasswords({ params: passwordParams(config), pool, costlyLane });
  const policy = policyOf(config);
  const passwordRules = composePasswordRules(config, ports.passwordBlocklists);
  const common = {
    ...deps,
    accounts: ports.accounts,
    keys: serverSecrets.keys,
    pool,
    passwords,
    passwordRules,
  };
  const factors = createSecondFactors({ ...common, appName: config.appName });
  const passkeys =
    config.passkeys === 'on'
      ? createPasskeys({
          ...common,
          relyingParty: { id: config.passkeyRpId, name: config.appName },
          origin: new URL(config.issuer).origin,
          passkeys: ports.passkeys,
          challenges: ports.oidcStore,
          factors,
        })
      : undefined;
  const appOrigins = [new URL(config.issuer).origin, ...originsOfApps(config, config.passkeyRpId)];
  const trustedDevices = createTrustedDevices({ ...common, days: config.trustedDeviceDays });
  const lostFactors = createLostFactors({ ...common, hours: config.secondFactorRemovalHours });
  const secondStep = createSecondStep({ ...common, factors, passkeys, trustedDevices, lostFactors });
  const oneTimeTokens = createOneTimeTokens({ ...common, oneTimeTokens: ports.oneTimeTokens });
  const confirmAddress = createConfirmAddress({
    ...common,
    graceDays: config.signupVerification.graceDays,
    issuer: config.issuer,
    tokens: oneTimeTokens,
    secondFactor: secondStep.gate,
    policy,
  });
  const { refuseUnconfirmed } = confirmAddress;
  const passkeySignIn = passkeys && createPasskeySignIn({ ...common, passkeys, factors, refuseUnconfirmed });
  return {
    passwords,
    passwordRules,
    accounts: createAccounts({ ...common, permissionsByRole: accessModel.roles }),
    factors,
    passkeys,
    passkeySignIn,
    appPasskeys:
      passkeySignIn && createAppPasskeys({ ...common, passkeys, passkeySignIn, origins: appOrigins }),
    appOrigins,
    secondStep,
    oneTimeTokens,
    confirmAddress,
    invitations: createInvitations({ ...common, tokens: oneTimeTokens, issuer: config.issuer }),
    signIn: createSignIn({
      ...common,
      secondFactor: secondStep.gate,
      policy,
      refuseUnconfirmed,
    }),
    register: createRegister({
      ...common,
      enabled: config.signup,
      roles: [...(config.signupRoles ?? [])],
      confirmAddress: config.signupVerification.graceDays === undefined ? undefined : confirmAddress,
    }),
  };
}
