/**
 * The scopes that belong to no API: those of OpenID Connect that Gatehouse supports (OpenID Connect Core §5.4 and §11,
 * and `openid` itself, §3.1.2.1), and `roles` and `groups`, which many products expect. Every other scope belongs to an
 * API.
 */
export const protocolScopes = ['openid', 'profile', 'email', 'roles', 'groups', 'offline_access'] as const;

/** The standard claims of the scope `profile` (Core §5.1, §5.4). */
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

/**
 * The claims about a person that exist without configuration, by their scope. `roles` and `groups` are the same list:
 * the roles of the account, under the name that a product expects.
 */
export const builtInClaims = {
  profile: profileClaims,
  email: ['email', 'email_verified'],
  roles: ['roles'],
  groups: ['groups'],
} as const satisfies Record<string, readonly string[]>;

/** A scope that stands for claims about a person. */
export type ClaimScope = keyof typeof builtInClaims;

/** Gives the names of all claims about a person by scope: the built-in ones first. */
export function claimsByScope(
  configured: ReadonlyArray<{ name: string; scope: ClaimScope }>,
): Record<ClaimScope, string[]> {
  const named = (scope: ClaimScope) => [
    ...builtInClaims[scope],
    ...configured.filter((claim) => claim.scope === scope).map(({ name }) => name),
  ];
  return { profile: named('profile'), email: named('email'), roles: named('roles'), groups: named('groups') };
}

/**
 * The largest value of a claim from an account's metadata, in bytes of JSON. A larger value is left out, so that an id
 * token fits through the headers of gateways.
 */
export const mostClaimBytes = 256;
