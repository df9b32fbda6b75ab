import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigurationError } from '../lib/errors.ts';
import { builtInClaims, type ClaimScope, protocolScopes } from '../lib/oidc-scopes.ts';
import { type AccessModel, type AccessModelContext, defaultAccessModel } from './access-model.ts';
import { modelProblems, reservedClaims } from './apis-checks.ts';
import { audienceForm, isAudience } from './uris.ts';
import { readYaml } from './yaml.ts';

const line = (what: string, longest: number) =>
  z
    .string(`must be ${what}, as text`)
    .regex(new RegExp(`^[^\\p{Cc}]{1,${longest}}$`, 'u'), `must be ${what}`);

const permission = z
  .string('must be a permission, as text')
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/,
    'must be a permission: up to 100 characters without blanks or quotes',
  );

const scopeName = z
  .string()
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/,
    'is not a scope name: up to 100 characters without blanks or quotes (RFC 6749 §3.3)',
  );

const roleName = z
  .string()
  .regex(/^[A-Za-z][\w:.-]{0,99}$/, 'is not a role name: a letter, then letters, digits or _ : . -');

const api = z.strictObject(
  {
    audience: z.string(`must be ${audienceForm}`).refine(isAudience, `must be ${audienceForm}`),
    name: line('a name of 1 to 100 characters', 100),
    scopes: z
      .record(
        scopeName,
        z.strictObject(
          { description: line('a description of 1 to 200 characters', 200), permission },
          'must have a description and a permission',
        ),
        'must be scopes by name',
      )
      .default({}),
  },
  'must be an API: audience, name and scopes',
);

const claimName = z
  .string()
  .refine((name) => !name.includes(':'), {
    error: 'must have no ":" in its name: gateways and consoles use it to separate names',
    abort: true,
  })
  .regex(/^[A-Za-z][\w.-]{0,59}$/, 'is not a claim name: a letter, then up to 59 letters, digits or _ . -')
  .refine((name) => !reservedClaims.has(name) && !(name in {}), {
    error: 'is a claim that has a meaning already; choose another name',
  });

const claim = z.strictObject(
  {
    field: line('the name of a field in the metadata of accounts, of 1 to 100 characters', 100).optional(),
    scope: z.enum(
      Object.keys(builtInClaims) as ClaimScope[],
      `must be one of the scopes ${Object.keys(builtInClaims).join(', ')}: an app with this scope gets the claim`,
    ),
  },
  'must have a scope, and a field if the metadata of accounts have another name for it',
);

const accessModel = z.strictObject(
  {
    apis: z.array(api, 'must be a list of APIs').min(1, 'must name at least one API'),
    roles: z
      .record(roleName, z.array(permission, 'must be a list of permissions'), 'must be roles by name')
      .default({}),
    claims: z.record(claimName, claim, 'must be claims by name').default({}),
  },
  'must be a mapping with apis, and roles and claims if there are any',
);

/** The JSON Schema of one API, as a part of another schema. */
export function apiJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(api, { io: 'input' });
  return schema;
}

/**
 * Reads the APIs file.
 *
 * @param fileName the name that the messages show
 * @throws ConfigurationError with all problems, each with file, line and path
 */
export function parseAccessModel(text: string, fileName: string, context: AccessModelContext): AccessModel {
  const { value, problem } = readYaml(text, fileName);
  const result = accessModel.safeParse(value);
  if (!result.success) throw new ConfigurationError(result.error.issues.flatMap(problem));
  const model: AccessModel = {
    apis: result.data.apis.map(({ scopes, ...rest }) => ({
      ...rest,
      scopes: Object.entries(scopes).map(([name, scope]) => ({ name, ...scope })),
    })),
    roles: Object.assign(Object.create(null), result.data.roles),
    claims: Object.entries(result.data.claims).map(([name, { field = name, scope }]) => ({
      name,
      field,
      scope,
    })),
  };
  const problems = modelProblems(model, context).map(({ path, message }) => problem({ path, message }));
  if (problems.length > 0) throw new ConfigurationError(problems.flat());
  return model;
}

/** Returns the model. Throws a ConfigurationError when GATEHOUSE_SIGNUP_ROLES names a role that it does not define. */
export function withSignupRoles(model: AccessModel, roles: readonly string[] | undefined): AccessModel {
  return withKnownRoles('GATEHOUSE_SIGNUP_ROLES', model, roles);
}

/** Returns the model. Throws a ConfigurationError when GATEHOUSE_SECOND_FACTOR_ROLES names a role that does not exist. */
export function withSecondFactorRoles(model: AccessModel, roles: readonly string[] | undefined): AccessModel {
  return withKnownRoles('GATEHOUSE_SECOND_FACTOR_ROLES', model, roles);
}

function withKnownRoles(setting: string, model: AccessModel, roles: readonly string[] = []): AccessModel {
  const known = Object.keys(model.roles);
  const unknown = roles.filter((role) => !known.includes(role));
  if (unknown.length === 0) return model;
  throw new ConfigurationError([
    `${setting}: there is no role ${unknown.join(', ')}. GATEHOUSE_APIS_FILE defines: ${known.join(', ') || 'none'}.`,
  ]);
}

/** Returns the model. Throws a ConfigurationError when GATEHOUSE_SELF_REGISTERED_SCOPES names a scope that does not exist. */
export function withSelfRegisteredScopes(model: AccessModel, scopes: readonly string[]): AccessModel {
  const known = [...protocolScopes, ...model.apis.flatMap((api) => api.scopes.map(({ name }) => name))];
  const unknown = scopes.filter((scope) => !known.includes(scope));
  if (unknown.length === 0) return model;
  throw new ConfigurationError([
    `GATEHOUSE_SELF_REGISTERED_SCOPES: there is no scope ${unknown.join(', ')}. Known are: ${known.join(', ')}.`,
  ]);
}

/**
 * Gives the model from GATEHOUSE_APIS_FILE, or the default model when this setting is not set.
 *
 * @throws ConfigurationError with all problems of the file
 */
export function loadAccessModel(
  config: AccessModelContext & { apisFile: string | undefined },
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): AccessModel {
  const { apisFile } = config;
  if (apisFile === undefined) return defaultAccessModel(config.audience);
  let text: string;
  try {
    text = readFile(apisFile);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigurationError([
      `GATEHOUSE_APIS_FILE: the file ${apisFile} can't be read (${code}). Check the path and its permissions.`,
    ]);
  }
  return parseAccessModel(text, apisFile, config);
}
