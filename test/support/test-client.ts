import { createHash, randomBytes } from 'node:crypto';
import { type Deployment, demo } from './deployment.ts';
import { type Person, signInAndAgree, type UserAgent } from './user-agent.ts';

/** Parameters of a request; an undefined one is left out. */
export type Parameters = Record<string, string | undefined>;

export interface JsonAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** A successful answer of the token endpoint. */
export interface Tokens {
  access_token: string;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
  token_type: string;
  expires_in: number;
}

/** An app that uses the protocol without a library. It sends exactly what the test specifies. */
export interface TestClient {
  readonly id: string;
  readonly redirectUri: string;
  /** A valid authorization request with PKCE, `state` and `scope=openid`; `parameters` change it. */
  authorizationUrl(parameters?: Parameters): string;
  /**
   * Takes the browser through sign-in and consent if asked. Returns the parameters that reach the redirect URI.
   * @param person the default is the demo account
   */
  authorize(agent: UserAgent, parameters?: Parameters, person?: Person): Promise<URLSearchParams>;
  /** Does the same, and returns the code. Throws if there is none. */
  code(agent: UserAgent, parameters?: Parameters, person?: Person): Promise<string>;
  /** Does the same and redeems the code. Throws if the response has no tokens. */
  signIn(agent: UserAgent, parameters?: Parameters, person?: Person): Promise<Tokens>;
  /** Redeems a code that `authorize` returned. */
  redeem(code: string, parameters?: Parameters, headers?: Record<string, string>): Promise<JsonAnswer>;
  refresh(refreshToken: string | undefined, parameters?: Parameters): Promise<JsonAnswer>;
  clientCredentials(parameters?: Parameters, headers?: Record<string, string>): Promise<JsonAnswer>;
  /** The password grant, with the demo account's password; `parameters` change it. */
  passwordGrant(parameters?: Parameters, headers?: Record<string, string>): Promise<JsonAnswer>;
  /** Posts a form to `/oauth2/…` with the client's credentials. */
  post(path: string, parameters: Parameters, headers?: Record<string, string>): Promise<JsonAnswer>;
}

export interface TestClientOptions {
  id: string;
  /** A public client has no secret. */
  secret?: string;
  redirectUri?: string;
}

/** The demo clients that sign people in, and the machine client. */
export const demoApps = {
  web: { id: 'demo-web', secret: 'demo-web-secret', redirectUri: 'http://localhost:8080/callback' },
  spa: { id: 'demo-spa', redirectUri: 'http://localhost:8080/spa-callback' },
  firstParty: { id: 'demo-first-party', redirectUri: 'http://localhost:8080/first-party-callback' },
  service: { id: 'demo-service', secret: 'demo-service-secret' },
} satisfies Record<string, TestClientOptions>;

/** All tests share this verifier. A test that needs another one passes it explicitly. */
export const pkce = (() => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
})();

export function createTestClient(deployment: Deployment, options: TestClientOptions): TestClient {
  const { id, secret, redirectUri = '' } = options;
  const credentials: Record<string, string> = secret
    ? { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
    : {};

  const client: TestClient = {
    id,
    redirectUri,
    authorizationUrl: (parameters = {}) => {
      const query = form({
        client_id: id,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid',
        state: 'a-state',
        code_challenge: pkce.challenge,
        code_challenge_method: 'S256',
        ...parameters,
      });
      return `${deployment.issuer}/oauth2/authorize?${query}`;
    },
    authorize: async (agent, parameters, person = demo) => {
      const page = await agent.get(client.authorizationUrl(parameters));
      const url = await signInAndAgree(agent, page, person);
      if (!url.startsWith(`${redirectUri}?`)) throw new Error(`the browser ended at ${url}`);
      return new URL(url).searchParams;
    },
    code: async (agent, parameters, person) => {
      const returned = await client.authorize(agent, parameters, person);
      const code = returned.get('code');
      if (code === null) throw new Error(`no code came back: ${returned}`);
      return code;
    },
    signIn: async (agent, parameters, person) =>
      tokensOf(await client.redeem(await client.code(agent, parameters, person))),
    redeem: (code, parameters = {}, headers) =>
      client.post(
        'token',
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          code_verifier: pkce.verifier,
          ...parameters,
        },
        headers,
      ),
    refresh: (refreshToken, parameters = {}) =>
      client.post('token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...parameters }),
    clientCredentials: (parameters = {}, headers) =>
      client.post('token', { grant_type: 'client_credentials', ...parameters }, headers),
    passwordGrant: (parameters = {}, headers) => {
      const { email: username, password } = demo;
      return client.post('token', { grant_type: 'password', username, password, ...parameters }, headers);
    },
    post: async (path, parameters, headers = {}) => {
      const named = secret ? parameters : { client_id: id, ...parameters };
      const response = await deployment.fetch(`${deployment.issuer}/oauth2/${path}`, {
        method: 'POST',
        body: form(named),
        headers: { ...credentials, ...headers },
      });
      return jsonAnswer(response);
    },
  };
  return client;
}

/** The header with an access token. */
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Returns the answer's status and its JSON, or `{}` for an empty body. */
export async function jsonAnswer(response: Response): Promise<JsonAnswer> {
  const text = await response.text();
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, headers: response.headers, body };
}

/** Returns the tokens of an answer. Throws with the answer if it has none. */
export function tokensOf({ status, body }: JsonAnswer): Tokens {
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
  return body as unknown as Tokens;
}

/** Decodes the header and the claims of a JWT without verification. */
export function decodeJwt(token: string | undefined): {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
} {
  const [header, claims] = (token ?? '')
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8') || 'null'));
  return { header, claims };
}

function form(parameters: Parameters): URLSearchParams {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new URLSearchParams(given);
}
