/**
 * The level of a sign-in with a password (the claim `acr`, OpenID Connect Core §2). SAML 2.0 gave this name to a password
 * over TLS. Apps that used SAML before know it.
 */
export const passwordAcr = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport';

/**
 * The level of a sign-in with two factors or more. OpenID's Provider Authentication Policy Extension gave it this name.
 * Apps that used step-up with other providers know it.
 */
export const multiFactorAcr = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor';

/** All levels, the lowest first. A higher level also meets a request for a lower one. */
export const acrLevels: readonly string[] = [passwordAcr, multiFactorAcr];

/** The levels that a person can reach here, the lowest first: discovery names them as `acr_values_supported`. */
export const reachableAcrs = (hasSecondFactor: boolean): readonly string[] =>
  hasSecondFactor ? acrLevels : [passwordAcr];

/** The reason of the prompt `login` when the level of the session is too low. */
export const levelMissing = 'acr';

/** The reason of the prompt `login` when the client requires a second factor that the session does not have. */
export const secondFactorMissing = 'second_factor';

/**
 * @param acr the level of a sign-in, if it has one
 * @param wanted the values that are accepted; one of them is enough
 * @returns whether the level is one of them, or higher than one of them
 */
export function meetsAcr(acr: string | undefined, wanted: readonly string[]): boolean {
  const level = acrLevels.indexOf(acr ?? '');
  return wanted.some((one) => one === acr || (acrLevels.includes(one) && acrLevels.indexOf(one) <= level));
}

/** How a person signed in, as tokens describe it. */
export interface SignInMethods {
  /** RFC 8176 §2. */
  amr: string[];
  acr: string;
}

/** A sign-in with a password only. */
export const passwordSignIn: SignInMethods = { amr: ['pwd'], acr: passwordAcr };

/**
 * A sign-in with two factors or more.
 * @param amr all methods, for example `pwd` and `otp` (RFC 8176 §2). `mfa` is added
 */
export const multiFactorSignIn = (amr: readonly string[]): SignInMethods => ({
  amr: [...new Set([...amr, 'mfa'])],
  acr: multiFactorAcr,
});
