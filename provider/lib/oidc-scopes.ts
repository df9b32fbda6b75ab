/**
 * The scopes of OpenID Connect that Gatehouse supports (OpenID Connect Core §5.4 and §11, and `openid` itself,
 * §3.1.2.1). Every other scope belongs to an API.
 */
export const protocolScopes = ['openid', 'profile', 'email', 'roles', 'groups', 'offline_access'] as const;
