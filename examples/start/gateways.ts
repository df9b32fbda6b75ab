import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Ministack } from '../../test/support/servers/ministack.ts';
import { startNginx } from '../../test/support/servers/nginx.ts';
import type { TestServer } from '../../test/support/servers/server.ts';
import { audience } from './gatehouse.ts';
import { createFunction } from './lambda-function.ts';

const documentation = fileURLToPath(new URL('../../docs/gateways/nginx.conf', import.meta.url));

/** Starts nginx with `docs/gateways/nginx.conf`. Only the addresses are others. */
export async function startNginxGateway(issuer: string, service: string): Promise<TestServer> {
  const documented = await readFile(documentation, 'utf8');
  const replaced = (port: number): [from: string, to: string][] => [
    ['listen 80;', `listen 127.0.0.1:${port};`],
    ['server gatehouse.internal:3000;', `server 127.0.0.1:${new URL(issuer).port};`],
    ['server orders.internal:8080;', `server ${new URL(service).host};`],
  ];
  return startNginx((port) =>
    replaced(port).reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`docs/gateways/nginx.conf lacks ${from}`);
      return text.replaceAll(from, to);
    }, documented),
  );
}

export interface ApiGatewayOptions {
  ministack: Ministack;
  issuer: string;
  /** The address of the contract service. */
  contractService: string;
}

/**
 * Creates an HTTP API with the JWT authorizer as `docs/api-gateway.md` describes it, with the contract service behind an
 * HTTP integration and the user service as a Lambda function. Gives the address of the API.
 */
export async function createApiGateway({
  ministack,
  issuer,
  contractService,
}: ApiGatewayOptions): Promise<string> {
  const { apiId = '' } = await ministack.post('/v2/apis', { name: 'examples', protocolType: 'HTTP' });
  const api = `/v2/apis/${apiId}`;
  const { authorizerId } = await ministack.post(`${api}/authorizers`, {
    name: 'gatehouse',
    authorizerType: 'JWT',
    identitySource: ['$request.header.Authorization'],
    jwtConfiguration: { issuer, audience: [audience] },
  });
  const integration = async (details: object) =>
    `integrations/${(await ministack.post(`${api}/integrations`, details)).integrationId}`;
  const route = (routeKey: string, target: string, scope: string) =>
    ministack.post(`${api}/routes`, {
      routeKey,
      target,
      authorizationType: 'JWT',
      authorizerId,
      authorizationScopes: [scope],
    });

  const contracts = await integration({
    integrationType: 'HTTP_PROXY',
    integrationMethod: 'ANY',
    integrationUri: contractService,
  });
  await route('GET /v1/contracts', contracts, 'contracts:read');
  await route('POST /v1/contracts', contracts, 'contracts:write');

  const users = await integration({
    integrationType: 'AWS_PROXY',
    integrationUri: await createFunction(ministack, {
      name: 'user-service',
      file: '../user-service/handler.ts',
      variables: { ISSUER: issuer, AUDIENCE: audience },
    }),
    payloadFormatVersion: '2.0',
  });
  await route('GET /v1/me', users, 'account:read');
  // Every user may get this scope's token. Whether the person may see the others is a permission, and the service checks it.
  await route('GET /v1/users', users, 'account:read');
  await ministack.post(`${api}/stages`, { stageName: '$default', autoDeploy: true });
  return ministack.apiUrl(apiId);
}
