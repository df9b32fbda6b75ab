import { demoAccessModel } from '../../provider/bin/demo.ts';
import type { AccessModel } from '../../provider/config/access-model.ts';
import { type Deployment, type DeploymentOptions, startServers } from '../support/deployment.ts';
import type { TestClient } from '../support/test-client.ts';
import { appDocument, createApp } from './apps.ts';

/** The second API's audience. */
export const billing = 'https://billing.example';

const both = appDocument('both', { scopes: ['openid', 'email', 'contracts:read', 'invoices:read'] });

const robot = appDocument('robot', {
  redirectUris: [],
  postLogoutRedirectUris: [],
  grants: ['client_credentials'],
  scopes: ['contracts:read', 'invoices:read'],
  defaultResource: billing,
});

/** Two APIs, and a role with more permissions than any client requests. */
function accessModel(audience: string): AccessModel {
  const invoices = { name: 'invoices:read', description: 'Read your invoices', permission: 'invoices.see' };
  const model = demoAccessModel(audience);
  return {
    apis: [...model.apis, { audience: billing, name: 'Billing', scopes: [invoices] }],
    roles: { CLIENT: ['reports:read', 'contracts:read', 'contracts:write', 'invoices.see'] },
    claims: [],
  };
}

/** Starts a deployment with two APIs, a third party and a service. Both clients may use both APIs. */
export async function startWithTwoApis(): Promise<{
  deployment: Deployment;
  both: TestClient;
  robot: TestClient;
}> {
  const options: DeploymentOptions = { accessModel, clients: [both, robot], processes: 1 };
  const deployment = await startServers(options);
  return {
    deployment,
    both: createApp(deployment, 'both'),
    robot: createApp(deployment, 'robot'),
  };
}
