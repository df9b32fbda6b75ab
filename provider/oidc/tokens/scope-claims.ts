/** The standard claims of the `profile` scope (OpenID Connect Core §5.1, §5.4). */
export const profileClaims = [
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'updated_at',
];

/** The claims about a person by their scope (Core §5.4). */
export const scopeClaims: Record<string, string[]> = {
  profile: profileClaims,
  email: ['email', 'email_verified'],
};

/** @returns the scope of a claim, or undefined for a claim that belongs to no scope */
export function scopeOfClaim(claim: string): string | undefined {
  return Object.keys(scopeClaims).find((scope) => scopeClaims[scope]?.includes(claim));
}
