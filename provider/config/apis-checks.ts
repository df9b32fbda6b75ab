import { builtInClaims, protocolScopes } from '../lib/oidc-scopes.ts';
import type { AccessModel, AccessModelContext } from './access-model.ts';
import { largestAccessTokenBytes, tokenBudgetBytes } from './token-budget.ts';

export interface ModelProblem {
  /** The path in the file. */
  path: Array<string | number>;
  message: string;
}

/** The scopes that OpenID Connect or Gatehouse defines. APIs can't use these names. */
const reservedScopes = [...protocolScopes, 'address', 'phone'];

/**
 * Names that configured claims can't use, because they have a meaning in our tokens or in a standard: the claims of JWT
 * (RFC 7519 §4.1), of id tokens (OpenID Connect Core §2, §5.1), of access tokens (RFC 9068 §2.2), our own, and others of
 * the registry of JWT claims that gateways and libraries act on.
 */
export const reservedClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...[
    'auth_time',
    'nonce',
    'acr',
    'amr',
    'azp',
    'at_hash',
    'c_hash',
    's_hash',
    'sub_jwk',
    'sid',
    'events',
    'typ',
  ],
  ...['address', 'phone_number', 'phone_number_verified', '_claim_names', '_claim_sources'],
  ...[
    'scope',
    'scp',
    'client_id',
    'cnf',
    'act',
    'may_act',
    'authorization_details',
    'entitlements',
    'permissions',
  ],
  ...['family', 'consent', 'generation', 'client_generation', 'userinfo_claims'],
  ...Object.values(builtInClaims).flat(),
]);

function audienceProblems({ apis }: AccessModel, { issuer, audience }: AccessModelContext): ModelProblem[] {
  const problems: ModelProblem[] = [];
  apis.forEach((api, index) => {
    const path = ['apis', index, 'audience'];
    if (api.audience.replace(/\/$/, '') === issuer) {
      problems.push({ path, message: 'must differ from GATEHOUSE_ISSUER; name the API, not Gatehouse' });
    }
    if (apis.findIndex((other) => other.audience === api.audience) < index) {
      problems.push({ path, message: 'is there twice; put all its scopes under one API' });
    }
  });
  if (!apis.some((api) => api.audience === audience)) {
    const message = `must have the default API, GATEHOUSE_AUDIENCE (${audience}); add it, or set that to the audience of one of these`;
    problems.push({ path: ['apis'], message });
  }
  return problems;
}

function scopeProblems({ apis }: AccessModel): ModelProblem[] {
  const owners = new Map<string, string>();
  const problems: ModelProblem[] = [];
  apis.forEach((api, index) => {
    for (const { name } of api.scopes) {
      const path = ['apis', index, 'scopes', name];
      const owner = owners.get(name);
      if (reservedScopes.includes(name)) {
        problems.push({ path, message: 'is a scope that belongs to no API; choose another name' });
      } else if (owner !== undefined) {
        problems.push({ path, message: `belongs to ${owner} already; a scope belongs to one API only` });
      }
      owners.set(name, owner ?? api.audience);
    }
  });
  return problems;
}

function budgetProblems(model: AccessModel, { issuer }: AccessModelContext): ModelProblem[] {
  const bytes = largestAccessTokenBytes(model, issuer);
  if (bytes <= tokenBudgetBytes) return [];
  const message = `are too much for one token: an account with all roles would get an access token of ${bytes} bytes, and more than ${tokenBudgetBytes} don't fit through API Gateway's headers. Use fewer or shorter permissions, roles, scopes and claims`;
  return [{ path: ['roles'], message }];
}

/** The problems of a model whose single parts are all valid. */
export function modelProblems(model: AccessModel, context: AccessModelContext): ModelProblem[] {
  return [...audienceProblems(model, context), ...scopeProblems(model), ...budgetProblems(model, context)];
}
