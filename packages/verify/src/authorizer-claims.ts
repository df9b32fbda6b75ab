import { accessTokenShape } from './generated/access-token-claims.ts';
import { kindOf, type Shape } from './shape.ts';

/**
 * The claims of a token in the form that an API Gateway authorizer hands them on. HTTP APIs turn all values into text, and a
 * list becomes `[a b]`. REST APIs hand on JSON; their header mappings put quotes around texts and lists.
 *
 * @returns the claims with the values that they have in the token. A value that cannot be read back stays as it is.
 */
export function readAuthorizerClaims(claims: Record<string, unknown>): Record<string, unknown> {
  const shape: Shape = accessTokenShape;
  const known = Object.entries(claims).map(([name, value]) => {
    const kind = shape[name];
    return [name, kind === undefined || value === null ? undefined : readers[kindOf(kind)](value)];
  });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

const readers: Record<ReturnType<typeof kindOf>, (value: unknown) => unknown> = {
  string: (value) => (typeof value === 'string' && /^".*"$/s.test(value) ? parsed(value) : value),
  number: (value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
  boolean: (value) => (value === 'true' ? true : value === 'false' ? false : value),
  'string[]': (value) => (typeof value === 'string' ? listOf(value) : value),
  object: (value) => value,
};

/** Gatehouse allows no spaces and no quotes in the names of roles, permissions and scopes, so that this works. */
function listOf(text: string): unknown {
  if (text.startsWith('["')) return parsed(text);
  return text
    .replace(/^\[(.*)\]$/s, '$1')
    .split(' ')
    .filter((entry) => entry !== '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
