/** The allowed cost of one operation when all caches are warm. `docs/speed.md` shows the same numbers. */
export interface Cost {
  operation: OperationName;
  /** RS256 signatures with the keys of the issuer. */
  signatures: number;
  /** Argon2id hashes. */
  hashes: number;
  /** Round trips in order. */
  asks: string[];
}

export type OperationName =
  | 'client_credentials'
  | 'refresh, with id token'
  | 'refresh by /auth/refresh'
  | 'authorization request in a session'
  | 'authorization request that leads to the sign-in page'
  | 'pushed authorization request'
  | 'sign-up'
  | 'code to token'
  | 'password sign-in'
  | 'wrong password'
  | 'introspection'
  | 'introspection of a refresh token'
  | 'revocation of an access token'
  | '/auth/logout'
  | '/user/profile'
  | '/auth/verify'
  | 'userinfo'
  | 'discovery'
  | 'JWKS';

/**
 * The read of the family and the write of the rotation. Between them, during the signature, one question checks whether the
 * cached account and consent are current.
 */
const refresh = ['redis family', 'redis denylist', 'redis family'];

const none = { signatures: 0, hashes: 0, asks: [] };

export const costs: Cost[] = [
  { ...none, operation: 'client_credentials', signatures: 1 },
  { ...none, operation: 'refresh, with id token', signatures: 2, asks: refresh },
  {
    ...none,
    operation: 'refresh by /auth/refresh',
    signatures: 1,
    asks: refresh,
  },
  {
    ...none,
    operation: 'authorization request in a session',
    asks: [...['redis Session', 'redis Session index', 'redis denylist', 'redis AuthorizationCode']],
  },
  {
    ...none,
    operation: 'code to token',
    signatures: 2,
    asks: [
      ...['redis AuthorizationCode', 'redis denylist', 'redis AuthorizationCode'],
      ...['redis family', 'redis sign-ins'],
    ],
  },
  {
    ...none,
    operation: 'password sign-in',
    signatures: 1,
    hashes: 1,
    asks: [
      ...['redis limits', 'postgres accounts', 'postgres outbox', 'redis limits', 'redis denylist'],
      ...['redis family', 'redis sign-ins'],
    ],
  },
  {
    ...none,
    operation: 'wrong password',
    hashes: 1,
    asks: ['redis limits', 'postgres accounts'],
  },
  {
    ...none,
    operation: 'introspection',
    asks: ['redis denylist'],
  },
  { ...none, operation: '/auth/verify', asks: ['redis denylist'] },
  {
    ...none,
    operation: 'userinfo',
    asks: ['redis denylist'],
  },
  {
    ...none,
    operation: 'introspection of a refresh token',
    asks: ['redis family', 'redis denylist'],
  },
  {
    ...none,
    operation: 'revocation of an access token',
    asks: ['redis denylist', 'redis denylist'],
  },
  {
    ...none,
    operation: '/auth/logout',
    asks: [
      ...['redis family', 'postgres begin', 'postgres revocations'],
      ...['postgres outbox', 'postgres commit', 'redis family', 'redis sign-ins'],
    ],
  },
  { ...none, operation: '/user/profile', asks: ['redis denylist', 'postgres accounts'] },
  {
    ...none,
    operation: 'authorization request that leads to the sign-in page',
    asks: ['redis Interaction', 'redis Interaction'],
  },
  { ...none, operation: 'pushed authorization request', asks: ['redis PushedAuthorizationRequest'] },
  {
    ...none,
    operation: 'sign-up',
    hashes: 1,
    asks: [
      ...[
        'redis limits',
        'redis limits',
        'redis limits',
        'postgres begin',
        'postgres accounts',
        'postgres outbox',
      ],
      'postgres commit',
    ],
  },
  { ...none, operation: 'discovery' },
  { ...none, operation: 'JWKS' },
];
