import { demo } from '../../support/deployment.ts';
import { metric } from '../../support/metrics.ts';
import {
  createTestClient,
  demoApps,
  type Parameters,
  type Tokens,
  tokensOf,
} from '../../support/test-client.ts';
import type { ConnectWorld } from './world.ts';

/** The tokens of a person, by the password grant. The client is the demo's first-party one if none is named. */
export async function tokensOfPerson(
  { deployment }: ConnectWorld,
  parameters: Parameters = {},
  client: string = demo.firstPartyClient,
): Promise<Tokens> {
  const app = createTestClient(deployment, { id: client });
  return tokensOf(await app.passwordGrant({ scope: 'openid contracts:read', ...parameters }));
}

/** An access token for the issuer itself, which every API must refuse. */
export async function tokenForTheIssuer({ deployment }: ConnectWorld): Promise<string> {
  const resource = deployment.issuer;
  const app = createTestClient(deployment, demoApps.firstParty);
  return tokensOf(await app.passwordGrant({ scope: 'openid email', resource })).access_token;
}

/** The same token with another first character of its signature. */
export function spoiled(token: string): string {
  const [header, claims, signature = ''] = token.split('.');
  return `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
}

/** What Gatehouse saw of refresh tokens: how many were used, and how many came again because the app kept an old one. */
export async function refreshesSeen({ deployment }: ConnectWorld): Promise<{ used: number; again: number }> {
  const used = await metric(deployment, 'gatehouse_tokens_issued_total', 'grant="refresh_token"');
  const repeated = await metric(deployment, 'gatehouse_refresh_tokens_repeated_total');
  const reused = await metric(deployment, 'gatehouse_refresh_tokens_reused_total');
  return { used, again: repeated + reused };
}
