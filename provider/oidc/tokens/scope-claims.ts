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

/** Which claims about a person come with which scope (§5.4). */
export const scopeClaims: Record<string, string[]> = {
  profile: profileClaims,
  email: ['email', 'email_verified'],
};

/** @returns the scope a claim belongs to, or undefined for one that no scope brings */
export function scopeOfClaim(claim: string): string | undefined {
  return Object.keys(scopeClaims).find((scope) => scopeClaims[scope]?.includes(claim));
}
