import { createSecondFactors, type SecondFactorService } from '../accounts/second-factors.ts';
import { createSecondStep, type SecondStep, type SecondStepDeps } from '../accounts/second-step.ts';
import { createSignIn, type SignIn, type SignInOptions } from '../accounts/sign-in.ts';
import type { ClientRegistry } from '../clients/client-registry.ts';
import type { Config } from '../config/schema.ts';

export interface SecondFactorParts
  extends Omit<SignInOptions, 'secondFactor'>,
    Omit<SecondStepDeps, 'factors'> {
  config: Config;
  /** The registry is created after the sign-in, so this is called at each use. */
  clients(): Pick<ClientRegistry, 'find'>;
}

export interface ComposedSecondFactors {
  factors: SecondFactorService;
  secondStep: SecondStep;
  signIn: SignIn;
}

/** Assembles the sign-in, second factors and the second step, with the policy of the settings and the clients. */
export function composeSecondFactors({
  config,
  clients,
  ...parts
}: SecondFactorParts): ComposedSecondFactors {
  const factors = createSecondFactors({ ...parts, appName: config.appName });
  const secondStep = createSecondStep({ ...parts, factors });
  const secondFactor = secondStep.gate({
    mode: config.secondFactor,
    roles: config.requiredSecondFactorRoles ?? [],
    isRequiredBy: (id) => clients().find(id)?.requireSecondFactor === true,
  });
  return { factors, secondStep, signIn: createSignIn({ ...parts, secondFactor }) };
}
