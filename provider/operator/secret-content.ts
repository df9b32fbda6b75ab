import type { KubernetesSecret } from '../ports/kubernetes.ts';

/** The addresses of the issuer that apps need. */
export interface IssuerAddresses {
  issuer: string;
  discovery_url: string;
  authorization_endpoint: string;
  token_endpoint: string;
  userinfo_endpoint: string;
  jwks_uri: string;
}

/**
 * The content of a generated Secret. Products read the client id and the secret under different keys:
 * the AWS Load Balancer Controller `clientID` and `clientSecret`, Envoy Gateway `client-id` and `client-secret`.
 */
export function secretContent(
  clientId: string,
  clientSecret: string,
  addresses: IssuerAddresses,
): Record<string, string> {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    'client-id': clientId,
    'client-secret': clientSecret,
    clientID: clientId,
    clientSecret: clientSecret,
    ...addresses,
  };
}

/** Whether the Secret holds exactly this content. */
export function hasContent({ data }: KubernetesSecret, content: Record<string, string>): boolean {
  const names = Object.keys(content);
  return Object.keys(data).length === names.length && names.every((name) => data[name] === content[name]);
}
