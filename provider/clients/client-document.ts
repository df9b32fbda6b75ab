import { z } from 'zod';
import { deviceCodeGrant } from '../lib/device-code-grant.ts';
import { clientJwksSchema } from './client-jwks.ts';
import {
  backchannelLogoutUriProblem,
  originProblem,
  redirectUriProblem,
  webUriProblem,
} from './client-uris.ts';

/** What the ids of clients that registered themselves begin with. */
export const registeredIdPrefix = 'registered_';

/** The client id of the account page (account-client.ts). No document may use it. */
export const accountClientId = 'gatehouse-account';

function checkedBy(problem: (value: string) => string | undefined) {
  return z
    .string()
    .max(2000)
    .superRefine((value, context) => {
      const message = problem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}

const unique = <T>(values: T[]): T[] => [...new Set(values)];
const webUri = checkedBy(webUriProblem);
const redirectUris = z.array(checkedBy(redirectUriProblem)).max(100).default([]).overwrite(unique);

const secret = z
  .strictObject({
    ref: z
      .string()
      .regex(
        /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|secretsmanager:.+)$/,
        'must be a reference: env:NAME, file:/path or secretsmanager:NAME#KEY',
      )
      .optional()
      .describe('Where the secret is: env:NAME, file:/path or secretsmanager:NAME#KEY.'),
    sha256: z
      .string()
      .regex(
        /^([0-9a-fA-F]{64}|[A-Za-z0-9_-]{43})$/,
        'must be the SHA-256 of the secret in hex (64 characters) or base64url (43)',
      )
      .optional()
      .describe('SHA-256 of a random secret of 256 bits, in hex or base64url.'),
    notAfter: z.iso
      .datetime({ offset: true, error: 'must be a date and time with zone, such as 2030-01-31T00:00:00Z' })
      .optional()
      .describe('When the secret stops working.'),
  })
  .superRefine((value, context) => {
    if ((value.ref === undefined) !== (value.sha256 === undefined)) return;
    context.addIssue({ code: 'custom', message: 'must have either "ref" or "sha256", one of the two' });
  });

const grant = z
  .enum([
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'password',
    'device_code',
    deviceCodeGrant,
  ])
  .transform((name) => (name === deviceCodeGrant ? 'device_code' : name));

const scope = z
  .string()
  .max(200)
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must be one scope: no spaces, quotes or backslashes');

/** A client document as a person writes it. The YAML file, the command line and Kubernetes all use this schema. */
export const clientDocumentSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{2,128}$/, 'must be 2 to 128 of the characters A-Z a-z 0-9 . _ -')
    // The subject of a machine's token is its client id. It must not look like an account id (RFC 9068 §5).
    .refine((id) => !id.startsWith('user_'), {
      error: 'must not start with "user_": tokens would look like an account\'s',
    })
    .refine((id) => id !== accountClientId, {
      error: `must not be "${accountClientId}": that is the account page's own. Use another id`,
    })
    .refine((id) => !id.startsWith(registeredIdPrefix), {
      error: `must not start with "${registeredIdPrefix}": clients that register themselves get such ids`,
    })
    .describe('The client id.'),
  name: z
    .string()
    .regex(/^[^\p{Cc}]*$/u, 'must be one line')
    .regex(/\S/, 'must not be empty')
    .max(100)
    .describe('What people read on the consent page.'),
  enabled: z
    .boolean()
    .default(true)
    .describe('false: every request of the client is refused, and so are its tokens.'),
  firstParty: z
    .boolean()
    .default(false)
    .describe('One of our own apps: no consent page, roles in its tokens.'),
  auth: z
    .enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'])
    .default('client_secret_basic')
    .describe('How the client authenticates; none makes it public (browser and mobile apps).'),
  secrets: z
    .array(secret)
    .max(2, 'must hold at most two secrets: the one in use and its successor')
    .default([])
    .describe('Both of two secrets work, so that one can be replaced without an outage.'),
  jwks: clientJwksSchema.optional().describe('Public keys for private_key_jwt.'),
  jwksUri: webUri.optional().describe('Where the public keys for private_key_jwt are.'),
  assertionAudience: z
    .enum(['issuer', 'token_endpoint'])
    .default('issuer')
    .describe(
      'The aud of the assertions of private_key_jwt. issuer: the issuer alone. token_endpoint: for libraries that send the URL of the token endpoint; it is then accepted too.',
    ),
  grants: z
    .array(grant)
    .max(10)
    .prefault(['authorization_code', 'refresh_token'])
    .overwrite(unique)
    .describe('How the client gets tokens; authorization_code and refresh_token if left out.'),
  redirectUris: redirectUris.describe('Where people may return to after signing in, exactly.'),
  postLogoutRedirectUris: redirectUris.describe('Where people may return to after signing out, exactly.'),
  origins: z
    .array(checkedBy(originProblem))
    .max(100)
    .default([])
    .overwrite(unique)
    .describe('Origins from which a public client in a browser may call.'),
  scopes: z
    .array(scope)
    .max(200)
    .default([])
    .overwrite(unique)
    .describe(
      'What the client may ask for: openid, profile, email, roles, groups, offline_access and scopes of APIs.',
    ),
  idTokenClaims: z
    .array(z.string().max(100))
    .max(50)
    .default([])
    .overwrite(unique)
    .describe(
      'Claims about the person that the id token has too, where their scope was granted. Userinfo has them in any case.',
    ),
  defaultResource: z
    .string()
    .max(2000)
    .optional()
    .describe("The audience meant when a request doesn't name one."),
  introspects: z
    .array(z.string().max(2000))
    .max(100)
    .default([])
    .overwrite(unique)
    .describe("Audiences whose tokens the client may introspect, whoever's they are."),
  pkce: z.enum(['required', 'optional']).default('required').describe('RFC 7636.'),
  requirePushedAuthorizationRequests: z
    .boolean()
    .default(false)
    .describe(
      'Whether the client may start a sign-in only with a pushed authorization request (RFC 9126 §6).',
    ),
  requireSecondFactor: z
    .boolean()
    .default(false)
    .describe('Whether people need a second factor to sign in to this client.'),
  dpopBoundAccessTokens: z
    .boolean()
    .default(false)
    .describe(
      'Whether all tokens of the client are bound to a key: each token request needs a DPoP proof (RFC 9449 §5.2).',
    ),
  graceSeconds: z
    .int()
    .min(0)
    .max(60)
    .optional()
    .describe(
      'How long after its use a refresh token that comes again gets the same answer, and an authorization code that comes again ends nothing; GATEHOUSE_GRACE_SECONDS if left out.',
    ),
  applicationType: z.enum(['web', 'native']).default('web').describe('native: installed on a device.'),
  anyLoopbackPort: z
    .boolean()
    .optional()
    .describe(
      'For development: redirect URIs and origins on localhost, 127.0.0.1 or [::1] fit with any port. For native apps it is always so (RFC 8252 §7.3).',
    ),
  logoUri: webUri
    .optional()
    .describe('A picture of the app, shown on the sign-in and consent pages if it is https.'),
  clientUri: webUri.optional().describe("The app's home page. Our pages link to it."),
  initiateLoginUri: webUri
    .optional()
    .describe(
      'Where the app starts a sign-in (OpenID Connect Core §4). The page for an expired sign-in links to it; to clientUri if left out.',
    ),
  policyUri: webUri
    .optional()
    .describe("The app's privacy policy. The sign-in and consent pages link to it."),
  tosUri: webUri
    .optional()
    .describe("The app's terms of service. The sign-in and consent pages link to them."),
  confirmLogout: z
    .boolean()
    .optional()
    .describe(
      'Whether people are asked before they are signed out when the app sends a valid id_token_hint; if left out, first-party clients sign out without a question and others with one.',
    ),
  backchannelLogoutUri: checkedBy(backchannelLogoutUriProblem)
    .optional()
    .describe(
      'Where the app gets a logout token by POST whenever a session of a person there ends (OpenID Connect Back-Channel Logout 1.0). Its id tokens then have a sid.',
    ),
  backchannelLogoutSessionRequired: z
    .boolean()
    .optional()
    .describe(
      'Whether logout tokens have a sid; true if left out. false is for an app that knows people only by sub: each ending then ends all sessions of the person at the app.',
    ),
});

export type ClientDocument = z.output<typeof clientDocumentSchema>;
export type ClientSecret = ClientDocument['secrets'][number];
