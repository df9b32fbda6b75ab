import { createSecondFactors, type SecondFactorService } from '../accounts/second-factors.ts';
import { createSecondStep, type SecondStep, type SecondStepDeps } from '../accounts/second-step.ts';
import { createSignIn, type SignIn, type SignInOptions } from '../accounts/sign-in.ts';
import type { Config } from '../config/schema.ts';

export interface SecondFactorParts
  extends Omit<SignInOptions, 'secondFactor' | 'policy'>,
    Omit<SecondStepDeps, 'factors'> {
  config: Config;
}

export interface ComposedSecondFactors {
  factors: SecondFactorService;
  secondStep: SecondStep;
  signIn: SignIn;
}

/** Assembles the sign-in, second factors and the second step, with the policy of the settings. */
export function composeSecondFactors({ config, ...parts }: SecondFactorParts): ComposedSecondFactors {
  const factors = createSecondFactors({ ...parts, appName: config.appName });
  const secondStep = createSecondStep({ ...parts, factors });
  const policy = { mode: config.secondFactor, roles: config.secondFactorRoles ?? [] };
  const signIn = createSignIn({ ...parts, secondFactor: secondStep.gate, policy });
  return { factors, secondStep, signIn };
}
