import { Client } from 'pg';
import { waitFor } from '../../test/support/wait-for.ts';
import { createPrinter } from './calls.ts';
import { ann, mia, type Tokens } from './gatehouse.ts';
import type { Examples } from './start-examples.ts';

/** Makes the calls and prints them with their answers. Gives those whose answer was not the expected one. */
export async function showCalls(
  { gatehouse, nginx, apiGateway, consumerDatabase }: Examples,
  write: (text: string) => void,
): Promise<readonly string[]> {
  const { heading, line, call, wrong } = createPrinter(write);
  const [ofAnn, ofMia] = [await gatehouse.signIn(ann), await gatehouse.signIn(mia)];
  const asAnn = { who: 'Ann, a client', token: ofAnn.accessToken };
  const asMia = { who: 'Mia, a manager', token: ofMia.accessToken };
  const read = { method: 'GET', path: '/v1/contracts' } as const;
  const add = { method: 'POST', path: '/v1/contracts', body: { title: 'Rent' } } as const;
  const me = { method: 'GET', path: '/v1/me' } as const;
  const users = { method: 'GET', path: '/v1/users' } as const;
  const without = { who: 'no token', expected: 401 };

  heading(`nginx with auth_request, in front of the contract service: ${nginx}`);
  const atNginx = { gateway: nginx };
  await call({ ...atNginx, ...read, ...without, because: 'nginx: Gatehouse saw no token' });
  await call({
    ...atNginx,
    ...read,
    ...asAnn,
    expected: 200,
    because: 'the service read the headers of nginx',
  });
  await call({
    ...atNginx,
    ...add,
    ...asAnn,
    expected: 403,
    because: 'the service: no scope contracts:write',
  });
  await call({ ...atNginx, ...add, ...asMia, expected: 201, because: 'a manager has contracts:write' });

  heading(`API Gateway with a JWT authorizer, in front of both services: ${apiGateway}`);
  const atApi = { gateway: apiGateway };
  await call({ ...atApi, ...read, ...without, because: 'API Gateway' });
  await call({ ...atApi, ...read, ...asAnn, expected: 200, because: 'the service checked the token again' });
  await call({ ...atApi, ...add, ...asAnn, expected: 403, because: 'API Gateway: no scope contracts:write' });
  await call({ ...atApi, ...add, ...asMia, expected: 201, because: 'a manager has contracts:write' });
  await call({ ...atApi, ...me, ...asAnn, expected: 200, because: 'the Lambda function read the claims' });
  await call({
    ...atApi,
    ...users,
    ...asAnn,
    expected: 403,
    because: 'the function: no permission users:read',
  });
  await call({ ...atApi, ...users, ...asMia, expected: 200, because: 'a manager has users:read' });

  await gatehouse.signOut(ofMia);
  heading('Mia signs out. Her access token is revoked, but its signature stays valid for up to 15 minutes.');
  const revoked = { who: "Mia's revoked token", token: ofMia.accessToken };
  line('  nginx asks Gatehouse about each request, and sees it at once:');
  await call({
    ...atNginx,
    ...read,
    ...revoked,
    expected: 401,
    because: 'nginx: Gatehouse refused the token',
  });
  line('  API Gateway does not see it. A service that only reads the claims accepts the token:');
  await call({ ...atApi, ...me, ...revoked, expected: 200, because: 'not seen until the token expires' });
  line('  These services ask Gatehouse themselves before they change or list something important:');
  await call({
    ...atApi,
    ...add,
    ...revoked,
    expected: 401,
    because: 'the contract service asked Gatehouse',
  });
  await call({ ...atApi, ...users, ...revoked, expected: 401, because: 'the function asked Gatehouse' });

  heading('What the event consumer got through EventBridge and SQS, with the sequence of each event:');
  const history = await historyOf(consumerDatabase, subjectOf(ofMia));
  for (const [name, tokens] of [['Ann', ofAnn] as const, ['Mia', ofMia] as const]) {
    const own = history.filter(({ person }) => person === subjectOf(tokens));
    line(`  ${name}: ${own.map(({ sequence, type }) => `${sequence} ${type}`).join(', ')}`);
  }
  return wrong;
}

/** Commands to type while the examples run. */
export const tryIt = ({ gatehouse: { issuer }, nginx, apiGateway }: Examples): string => `
Try it. Ctrl-C stops everything.

  curl -s ${issuer}/auth/login -H 'Content-Type: application/json' \\
    -d '{"email":"${ann.email}","password":"${ann.password}"}'
  TOKEN=...                                   # the accessToken of the answer
  curl -i -H "Authorization: Bearer $TOKEN" ${nginx}/v1/contracts
  curl -i -H "Authorization: Bearer $TOKEN" '${apiGateway}/v1/me'
`;

/** The id of the account that the token is for. */
function subjectOf({ accessToken }: Tokens): string {
  const [, claims = ''] = accessToken.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub;
}

interface Row {
  person: string;
  sequence: string;
  type: string;
}

/** Waits until the sign-out of this person came to the consumer. Gives what it processed, in that order. */
async function historyOf(database: string, signedOut: string): Promise<Row[]> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return await waitFor(
      async () => {
        const { rows } = await client.query<Row>('SELECT * FROM people_history ORDER BY position');
        const isThere = rows.some(({ person, type }) => person === signedOut && type === 'family.ended');
        return isThere && rows;
      },
      { timeoutMs: 60_000, intervalMs: 200, what: 'the event of the sign-out' },
    );
  } finally {
    await client.end();
  }
}
