import type { Applied, Resource } from './state.ts';

/** The emulator reads from the signature which service a request is for. It does not check it. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/apigateway/aws4_request, SignedHeaders=host, Signature=0';

/** Calls the control plane of API Gateway. */
async function call(method: string, path: string, body?: object): Promise<Record<string, string>> {
  const answer = await fetch(`${process.env.MINISTACK_URL}${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
}

const list = (value: unknown) => (Array.isArray(value) ? (value as Record<string, unknown>[]) : []);

/**
 * Makes the HTTP API of a module (`issuer` or `api`) as Terraform planned it: integrations, authorizer, routes, stage, domain
 * and mapping. Gives the ids of the emulator, by address.
 *
 * @param listenerArn the listener of the platform, which the load balancer at `LOAD_BALANCER_URL` plays
 */
async function makeApi(
  module: string,
  resources: Resource[],
  listenerArn: string,
): Promise<Record<string, string>> {
  const all = (type: string) =>
    resources.filter(({ address }) => address.startsWith(`module.${module}.aws_apigatewayv2_${type}.`));
  const [api] = all('api');
  if (!api) return {};
  const { name, protocol_type, disable_execute_api_endpoint } = api.values;
  const { apiId = '' } = await call('POST', '/v2/apis', {
    name,
    protocolType: protocol_type,
    disableExecuteApiEndpoint: disable_execute_api_endpoint,
  });
  const at = `/v2/apis/${apiId}`;
  const ids = new Map<unknown, string>();
  for (const { values } of all('integration')) {
    if (values.integration_uri !== listenerArn)
      throw new Error(`No load balancer has the listener ${values.integration_uri}.`);
    const { integrationId = '' } = await call('POST', `${at}/integrations`, {
      integrationType: values.integration_type,
      integrationMethod: values.integration_method,
      integrationUri: process.env.LOAD_BALANCER_URL,
      payloadFormatVersion: values.payload_format_version,
      requestParameters: values.request_parameters,
      tlsConfig: { serverNameToVerify: list(values.tls_config)[0]?.server_name_to_verify },
    });
    ids.set(`integrations/${values.id}`, `integrations/${integrationId}`);
  }
  for (const { values } of all('authorizer')) {
    const [jwt] = list(values.jwt_configuration);
    const { authorizerId = '' } = await call('POST', `${at}/authorizers`, {
      name: values.name,
      authorizerType: values.authorizer_type,
      identitySource: values.identity_sources,
      jwtConfiguration: { issuer: jwt?.issuer, audience: jwt?.audience },
    });
    ids.set(values.id, authorizerId);
  }
  for (const { values } of all('route'))
    await call('POST', `${at}/routes`, {
      routeKey: values.route_key,
      target: ids.get(values.target),
      authorizationType: values.authorization_type,
      authorizerId: ids.get(values.authorizer_id),
      authorizationScopes: values.authorization_scopes ?? undefined,
    });
  for (const { values } of all('stage'))
    await call('POST', `${at}/stages`, { stageName: values.name, autoDeploy: values.auto_deploy });
  const emulated: Record<string, string> = { [api.address]: at };
  for (const { address, values } of all('domain_name')) {
    const [configuration] = list(values.domain_name_configuration);
    await call('POST', '/v2/domainnames', {
      domainName: values.domain_name,
      domainNameConfigurations: [
        { certificateArn: configuration?.certificate_arn, endpointType: configuration?.endpoint_type },
      ],
    });
    emulated[address] = `/v2/domainnames/${values.domain_name}`;
  }
  for (const { values } of all('api_mapping'))
    await call('POST', `/v2/domainnames/${values.domain_name}/apimappings`, { apiId, stage: values.stage });
  return emulated;
}

/** Makes the APIs that are planned and not there yet. */
export async function makeEdge(applied: Applied, listenerArn: string): Promise<void> {
  for (const module of ['issuer', 'api']) {
    if (`module.${module}.aws_apigatewayv2_api.this` in applied.emulated) continue;
    Object.assign(applied.emulated, await makeApi(module, applied.resources, listenerArn));
  }
}

export async function removeEdge({ emulated }: Applied): Promise<void> {
  // The domains go first: an API that a mapping names can't be deleted.
  for (const path of Object.values(emulated).sort().reverse()) await call('DELETE', path);
}
