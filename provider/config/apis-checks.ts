import type { AccessModel, AccessModelContext } from './access-model.ts';
import { accessTokenBudgetBytes, largestAccessTokenBytes } from './token-budget.ts';

export interface ModelProblem {
  /** The path in the file. */
  path: Array<string | number>;
  message: string;
}

/** The scopes that OpenID Connect defines. APIs can't use these names. */
const reservedScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

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
        problems.push({ path, message: 'is a scope of OpenID Connect; choose another name' });
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
  if (bytes <= accessTokenBudgetBytes) return [];
  const message = `are too much for one token: an account with all roles would get an access token of ${bytes} bytes, and more than ${accessTokenBudgetBytes} don't fit through API Gateway's headers. Use fewer or shorter permissions, roles and scopes`;
  return [{ path: ['roles'], message }];
}

/** The problems of a model whose single parts are all valid. */
export function modelProblems(model: AccessModel, context: AccessModelContext): ModelProblem[] {
  return [...audienceProblems(model, context), ...scopeProblems(model), ...budgetProblems(model, context)];
}
