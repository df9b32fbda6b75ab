import { describe, expect, test } from '@jest/globals';
import { loadAccessModel, parseAccessModel } from '../../provider/config/apis.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';

const context = { issuer: 'https://login.example.com', audience: 'https://api.example.com' };

function problemsOf(text: string): string[] {
  try {
    parseAccessModel(text, 'apis.yaml', context);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const good = `
apis:
  - audience: https://api.example.com
    name: Contracts
    scopes:
      contracts:read: { description: Read your contracts, permission: contracts:read }
      contracts:write: { description: Change your contracts, permission: contracts:write }
  - audience: urn:example:billing
    name: Billing
roles:
  CLIENT: [contracts:read]
  STAFF: [contracts:read, contracts:write]
claims:
  department: { scope: profile }
  cost_center: { field: Cost center, scope: groups }
`;

describe('reading an APIs file', () => {
  test('supports merge keys (<<), and does not repeat text of the file in errors about YAML', () => {
    const scope = '{ description: Read, permission: a:read }';
    const text = `apis:\n  - audience: ${context.audience}\n    name: &name Api\n    scopes:\n      a:read: &read ${scope}\n      a:list: { <<: *read, description: List }\n`;
    expect(parseAccessModel(text, 'apis.yaml', context).apis[0]?.scopes[1]).toEqual({
      name: 'a:list',
      description: 'List',
      permission: 'a:read',
    });
    for (const bad of ['*hunter2', '!hunter2', '"x" hunter2', 'a: hunter2: x', '---\nhunter2'])
      expect(problemsOf(`apis: []\nroles: ${bad}\n`).join()).toMatch(
        /^apis\.yaml(:\d+)?: not valid YAML: ((?!hunter2).)*$/,
      );
  });

  test('returns APIs with scopes, roles, and claims', () => {
    expect(parseAccessModel(good, 'apis.yaml', context)).toEqual({
      apis: [
        {
          audience: 'https://api.example.com',
          name: 'Contracts',
          scopes: [
            { name: 'contracts:read', description: 'Read your contracts', permission: 'contracts:read' },
            { name: 'contracts:write', description: 'Change your contracts', permission: 'contracts:write' },
          ],
        },
        { audience: 'urn:example:billing', name: 'Billing', scopes: [] },
      ],
      roles: { CLIENT: ['contracts:read'], STAFF: ['contracts:read', 'contracts:write'] },
      claims: [
        { name: 'department', field: 'department', scope: 'profile' },
        { name: 'cost_center', field: 'Cost center', scope: 'groups' },
      ],
    });
  });

  test('returns roles that can be looked up by any text', () => {
    const { roles } = parseAccessModel(good, 'apis.yaml', context);
    expect([roles.constructor, roles.toString]).toEqual([undefined, undefined]);
  });

  test('reports all problems of its structure, each with its line', () => {
    const text = `apis:
  - audience: api
    name: ''
    scopes:
      contracts read: { description: x, permission: y }
      contracts:write:
        permission: contracts:write
    colour: red
roles:
  CLIENT: contracts:read
  1st: []
`;
    expect(problemsOf(text)).toEqual([
      'apis.yaml:2: apis[0].audience must be an absolute URI without a fragment, such as https://api.example.com',
      'apis.yaml:3: apis[0].name must be a name of 1 to 100 characters',
      'apis.yaml:5: apis[0].scopes.contracts read is not a scope name: up to 100 characters without blanks or quotes (RFC 6749 §3.3)',
      'apis.yaml:7: apis[0].scopes.contracts:write.description must be a description of 1 to 200 characters, as text',
      'apis.yaml:8: apis[0].colour is not known here; check its spelling or remove it',
      'apis.yaml:10: roles.CLIENT must be a list of permissions',
      'apis.yaml:11: roles.1st is not a role name: a letter, then letters, digits or _ : . -',
    ]);
  });

  test.each([' ', '"', '\\', '\u00a0', 'é'])(
    'refuses names of scopes, permissions and roles with %j: API Gateway passes lists on as text',
    (character) => {
      const name = `a${character}b`;
      const api = (scope: string, permission: string) => ({
        audience: context.audience,
        name: 'a',
        scopes: { [scope]: { description: 'x', permission } },
      });
      for (const model of [
        { apis: [api(name, 'p')] },
        { apis: [api('s', name)] },
        { apis: [api('s', 'p')], roles: { [name]: ['p'] } },
        { apis: [api('s', 'p')], roles: { CLIENT: [name] } },
      ]) {
        const problems = problemsOf(JSON.stringify(model));
        expect(problems).toHaveLength(1);
        expect(problems[0]).toMatch(/without blanks or quotes|is not a role name/);
      }
    },
  );

  test.each([
    ['', 'apis.yaml:1: must be a mapping'],
    ['apis: []', 'apis.yaml:1: apis must name at least one API'],
    ['apis: [\n', 'apis.yaml:2: '],
    ['apis: 1\napis: 2', 'apis.yaml:2: not valid YAML: the same key is there twice'],
    ['apis: *nowhere', 'apis.yaml:1: not valid YAML: an alias'],
  ])('reports the place of the problem in %j', (text, reason) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });

  test('reports a duplicate API, the issuer as an API, and a missing default API', () => {
    const text = `apis:
  - { audience: https://login.example.com/, name: a }
  - { audience: urn:b, name: b }
  - { audience: urn:b, name: c }
`;
    expect(problemsOf(text)).toEqual([
      'apis.yaml:2: apis[0].audience must differ from GATEHOUSE_ISSUER; name the API, not Gatehouse',
      'apis.yaml:4: apis[2].audience is there twice; put all its scopes under one API',
      'apis.yaml:2: apis must have the default API, GATEHOUSE_AUDIENCE (https://api.example.com); add it, or set that to the audience of one of these',
    ]);
  });

  test('reports a scope that belongs to no API and a scope of another API', () => {
    const text = `apis:
  - audience: https://api.example.com
    name: a
    scopes:
      read: { description: x, permission: y }
      openid: { description: x, permission: y }
      groups: { description: x, permission: y }
  - audience: urn:b
    name: b
    scopes:
      read: { description: x, permission: y }
`;
    expect(problemsOf(text)).toEqual([
      'apis.yaml:6: apis[0].scopes.openid is a scope that belongs to no API; choose another name',
      'apis.yaml:7: apis[0].scopes.groups is a scope that belongs to no API; choose another name',
      'apis.yaml:11: apis[1].scopes.read belongs to https://api.example.com already; a scope belongs to one API only',
    ]);
  });
});

describe('the claims of an APIs file', () => {
  const withClaims = (claims: string) => `${good}${claims}`;

  test.each([
    ['sub', '{ scope: profile }', 'claims.sub is a claim that has a meaning already'],
    ['exp', '{ scope: profile }', 'claims.exp is a claim that has a meaning already'],
    ['email', '{ scope: email }', 'claims.email is a claim that has a meaning already'],
    ['given_name', '{ scope: profile }', 'claims.given_name is a claim that has a meaning already'],
    ['groups', '{ scope: groups }', 'claims.groups is a claim that has a meaning already'],
    ['permissions', '{ scope: roles }', 'claims.permissions is a claim that has a meaning already'],
    ['constructor', '{ scope: profile }', 'claims.constructor is a claim that has a meaning already'],
    ['"custom:team"', '{ scope: profile }', 'claims.custom:team must have no ":" in its name'],
    ['"my team"', '{ scope: profile }', 'claims.my team is not a claim name'],
    [
      'team',
      '{ scope: openid }',
      'claims.team.scope must be one of the scopes profile, email, roles, groups',
    ],
    ['team', '{ scope: contracts:read }', 'claims.team.scope must be one of the scopes profile, email'],
    ['team', '{ field: team }', 'claims.team.scope must be one of the scopes profile, email'],
    ['team', '{ scope: profile, field: "" }', 'claims.team.field must be the name of a field'],
    ['team', '{ scope: profile, value: x }', 'claims.team.value is not known here'],
    ['team', 'profile', 'claims.team must have a scope'],
  ])('refuses %s: %s', (name, value, problem) => {
    expect(problemsOf(withClaims(`  ${name}: ${value}\n`))).toEqual([
      expect.stringMatching(new RegExp(`^apis\\.yaml:\\d+: ${problem}`)),
    ]);
  });

  test('count for the size of an access token, because a request may ask for all by name', () => {
    const many = Array.from(
      { length: 100 },
      (_, n) => `  claim_with_a_long_name_of_50_characters_${1000 + n}: { scope: profile }\n`,
    );
    expect(problemsOf(withClaims(many.join('')))).toEqual([
      expect.stringMatching(
        /are too much for one token: .*Use fewer or shorter permissions, roles, scopes and claims$/,
      ),
    ]);
  });
});

describe('the size of a token', () => {
  const manyRoles = good.replace(/claims:[\s\S]*$/, '');
  const withPermissions = (count: number) =>
    `${manyRoles}  MANY: [${Array.from({ length: count }, (_, n) => `permission:number:${1000 + n}`).join(', ')}]\n`;

  test('allows many permissions if a token with all of them fits', () => {
    expect(problemsOf(withPermissions(110))).toEqual([]);
  });

  test('limits the permissions, and the error names the size', () => {
    const [problem] = problemsOf(withPermissions(160));
    expect(problem).toMatch(
      /^apis\.yaml:\d+: roles are too much for one token: .* \d{4} bytes, and more than 6144 /,
    );
  });

  test('includes a permission of several roles once', () => {
    const role = Array.from({ length: 100 }, (_, n) => `permission:number:${1000 + n}`).join(', ');
    expect(problemsOf(`${manyRoles}  A: [${role}]\n  B: [${role}]\n  C: [${role}]\n`)).toEqual([]);
  });
});

describe('the APIs of the settings', () => {
  test('are only the default API if there is no file', () => {
    expect(loadAccessModel({ ...context, apisFile: undefined })).toEqual({
      apis: [{ audience: 'https://api.example.com', name: 'https://api.example.com', scopes: [] }],
      roles: {},
      claims: [],
    });
  });

  test('are read from the configured file', () => {
    const model = loadAccessModel({ ...context, apisFile: 'a.yaml' }, (path) =>
      path === 'a.yaml' ? good : '',
    );
    expect(model.apis).toHaveLength(2);
  });

  test('cause an error that names the variable if the file is missing', () => {
    expect(() => loadAccessModel({ ...context, apisFile: 'no/such.yaml' })).toThrow(
      /^GATEHOUSE_APIS_FILE: the file no\/such\.yaml can't be read \(ENOENT\)/,
    );
  });
});
