import { createHash } from 'node:crypto';
import type { AccessModel, AccessModelContext } from '../config/access-model.ts';
import { loadAccessModel } from '../config/apis.ts';
import type { Config } from '../config/schema.ts';
import { ConfigurationError } from '../lib/errors.ts';
import type { ClientSource } from '../ports/client-source.ts';

/** Data that exists in `gatehouse dev` only (DESIGN §9). Its passwords and secrets are printed there. */
export const demoAccount = {
  email: 'john@example.com',
  password: 'correct-horse-battery',
  roles: ['CLIENT'],
};

export function demoAccessModel(audience: string): AccessModel {
  return {
    apis: [
      {
        audience,
        name: 'Contracts',
        scopes: [
          { name: 'contracts:read', description: 'Read your contracts', permission: 'contracts:read' },
          { name: 'contracts:write', description: 'Change your contracts', permission: 'contracts:write' },
        ],
      },
    ],
    roles: Object.assign(Object.create(null), { CLIENT: ['contracts:read'] }),
    claims: [],
  };
}

const sha256 = (secret: string) => createHash('sha256').update(secret).digest('hex');
const protocol = ['openid', 'email', 'profile', 'offline_access'];

/** The model of GATEHOUSE_APIS_FILE; without that file the demo model. Throws a ConfigurationError. */
export function devAccessModel(config: AccessModelContext & Pick<Config, 'apisFile'>): AccessModel {
  return config.apisFile === undefined ? demoAccessModel(config.audience) : loadAccessModel(config);
}

/** Throws a ConfigurationError for an issuer that other machines could reach: demo data must never be exposed. */
export function refuseRemoteIssuer({ issuer }: Pick<Config, 'issuer'>): void {
  const { hostname } = new URL(issuer);
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return;
  throw new ConfigurationError([
    `gatehouse dev has demo data, so its issuer must be on this machine, not ${hostname}. Use gatehouse serve, or unset GATEHOUSE_ISSUER.`,
  ]);
}

/** Returns the demo clients as a source that never changes. */
export function demoClientSource(audience: string): ClientSource {
  const documents = demoClients(audience).map((value) => ({ origin: 'demo', value }));
  return { name: 'demo', eachByItself: false, load: async () => documents, watch: () => () => {} };
}

/** Returns client documents in the form that a person would write. */
export function demoClients(audience: string): unknown[] {
  const app = {
    // Port 8080 is often taken.
    anyLoopbackPort: true,
    grants: ['authorization_code', 'refresh_token'],
    scopes: [...protocol, 'contracts:read'],
    postLogoutRedirectUris: ['http://localhost:8080/'],
  };
  return [
    {
      ...app,
      id: 'demo-web',
      name: 'Demo web app',
      secrets: [{ sha256: sha256('demo-web-secret') }],
      redirectUris: ['http://localhost:8080/callback'],
    },
    {
      ...app,
      id: 'demo-spa',
      name: 'Demo single-page app',
      auth: 'none',
      origins: ['http://localhost:8080'],
      redirectUris: ['http://localhost:8080/spa-callback'],
    },
    {
      id: 'demo-first-party',
      name: 'Demo first-party app',
      auth: 'none',
      firstParty: true,
      anyLoopbackPort: true,
      grants: ['password', 'refresh_token', 'authorization_code'],
      scopes: [...protocol, 'contracts:read', 'contracts:write'],
      defaultResource: audience,
      origins: ['http://localhost:8080'],
      redirectUris: ['http://localhost:8080/first-party-callback'],
      postLogoutRedirectUris: ['http://localhost:8080/'],
    },
    {
      id: 'demo-service',
      name: 'Demo service',
      secrets: [{ sha256: sha256('demo-service-secret') }],
      grants: ['client_credentials'],
      scopes: ['contracts:read'],
      defaultResource: audience,
    },
  ];
}

export const demoDefaultClient = 'demo-first-party';

const demoFacts = `  Clients    demo-web           confidential, third party, secret demo-web-secret,
                                redirect URI http://localhost:8080/callback (any port)
             demo-spa           public, third party,
                                redirect URI http://localhost:8080/spa-callback (any port)
             demo-first-party   public, first party: /auth/* acts for it
             demo-service       client credentials, secret demo-service-secret
`;

const demoRequest = (issuer: string) => `
  Try it:

  curl -s ${issuer}/auth/login -H 'Content-Type: application/json' \\
    -d '{"email":"${demoAccount.email}","password":"${demoAccount.password}"}'
`;

/**
 * The text that `gatehouse dev` prints when it is ready. With a clients file it names that file, not the demo clients.
 */
export function demoBanner({
  issuer,
  clientsFile,
}: {
  issuer: string;
  clientsFile: string | undefined;
}): string {
  const { email, password } = demoAccount;
  return `
  Gatehouse is running.

  Issuer     ${issuer}
  Discovery  ${issuer}/.well-known/openid-configuration
  Account    ${email} / ${password}
${clientsFile === undefined ? demoFacts + demoRequest(issuer) : `  Clients    those of ${clientsFile}\n`}
  This data is for trying out, and exists in this command only. Ctrl-C stops.

`;
}
