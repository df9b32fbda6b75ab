import { type AccessTokenClaims, acrLevels } from './generated/access-token-claims.ts';
import { VerifyError } from './verify-error.ts';

/** What a token must have. All of it is needed. */
export interface Requirements {
  /** All of these scopes. Otherwise: 403 `insufficient_scope`. */
  scopes?: readonly string[] | undefined;
  /** All of these permissions. Otherwise: 403 `insufficient_permissions`. */
  permissions?: readonly string[] | undefined;
  /**
   * One of these levels of sign-in (the claim `acr`, RFC 9470), or a higher level of Gatehouse. Otherwise: 401
   * `insufficient_user_authentication`. A token without the claim is refused.
   */
  acr?: readonly string[] | undefined;
  /**
   * How long ago, in seconds, the person may have signed in at most (the claim `auth_time`, RFC 9470). Otherwise: 401
   * `insufficient_user_authentication`. A token without the claim is refused.
   */
  maxAgeSeconds?: number | undefined;
}

/** Whether this level is one of the wanted ones, or higher than one of them. */
function meetsAcr(acr: string | undefined, wanted: readonly string[]): boolean {
  const level = acrLevels.indexOf(acr ?? '');
  return wanted.some((one) => one === acr || (acrLevels.includes(one) && acrLevels.indexOf(one) <= level));
}

// RFC 6749 §3.3. Such a value cannot end the quoted string of a challenge.
const word = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** @returns what is wrong with these requirements, one sentence each */
export function problemsOfRequirements({ scopes, permissions, acr, maxAgeSeconds }: Requirements): string[] {
  const problems = Object.entries({ scopes, permissions, acr }).flatMap(([name, values = []]) =>
    Array.isArray(values) && values.every((value) => typeof value === 'string' && word.test(value))
      ? []
      : [`${name} must be a list of texts without spaces and quotes.`],
  );
  const isAge = maxAgeSeconds === undefined || (Number.isInteger(maxAgeSeconds) && maxAgeSeconds >= 0);
  return isAge ? problems : [...problems, 'maxAgeSeconds must be a whole number, 0 or more.'];
}

function refuseWrongRequirements(requirements: Requirements): void {
  const problems = problemsOfRequirements(requirements);
  if (problems.length > 0) throw new TypeError(problems.join(' '));
}

/**
 * Both together: everything that one of them asks for is needed. The challenge then names all of it.
 *
 * @throws TypeError as `checkRequirements`
 */
export function combineRequirements(first: Requirements, second: Requirements): Requirements {
  refuseWrongRequirements(second);
  const both = [first.acr, second.acr].filter((acr) => acr !== undefined);
  const acr = [...new Set(both.flat())].filter((one) => both.every((wanted) => meetsAcr(one, wanted)));
  const ages = [first.maxAgeSeconds, second.maxAgeSeconds].filter((age) => age !== undefined);
  return {
    scopes: [...new Set([...(first.scopes ?? []), ...(second.scopes ?? [])])],
    permissions: [...new Set([...(first.permissions ?? []), ...(second.permissions ?? [])])],
    acr: both.length > 0 ? acr : undefined,
    maxAgeSeconds: ages.length > 0 ? Math.min(...ages) : undefined,
  };
}

/**
 * @throws VerifyError when the claims do not have everything
 * @throws TypeError for requirements that no token can meet, because they are written wrongly
 */
export function checkRequirements(
  claims: AccessTokenClaims,
  requirements: Requirements,
  { resourceMetadata, toleranceSeconds }: { resourceMetadata?: string | undefined; toleranceSeconds: number },
): void {
  refuseWrongRequirements(requirements);
  const { scopes = [], permissions = [], acr, maxAgeSeconds } = requirements;

  const isOldSignIn =
    maxAgeSeconds !== undefined &&
    !(Date.now() / 1000 - (claims.auth_time ?? Number.NEGATIVE_INFINITY) <= maxAgeSeconds + toleranceSeconds);
  if (isOldSignIn || (acr !== undefined && !meetsAcr(claims.acr, acr))) {
    const message = isOldSignIn
      ? 'The sign-in is too long ago. Sign in again.'
      : 'Another way to sign in is required.';
    throw new VerifyError('insufficient_user_authentication', message, {
      resourceMetadata,
      parameters: {
        ...(acr === undefined ? {} : { acr_values: acr.join(' ') }),
        ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
      },
    });
  }

  const granted = new Set(claims.scope?.split(' '));
  if (!scopes.every((scope) => granted.has(scope))) {
    const scope = scopes.join(' ');
    const message = `The access token needs the scope ${scope}.`;
    throw new VerifyError('insufficient_scope', message, { resourceMetadata, parameters: { scope } });
  }

  const missing = permissions.filter((permission) => !claims.permissions?.includes(permission));
  if (missing.length > 0)
    throw new VerifyError('insufficient_permissions', `This needs the permission ${missing.join(' ')}.`);
}
