export type { AccessToken } from './access-token.ts';
export type { AccessTokenClaims } from './generated/access-token-claims.ts';
export type { Requirements } from './requirements.ts';
export type { RevocationOptions, RevocationState } from './revocation-look.ts';
export { createVerifier, type Verifier } from './verifier.ts';
export type { KeyCacheOptions, VerifierOptions } from './verifier-options.ts';
export { type Problem, VerifyError, type VerifyErrorCode } from './verify-error.ts';
