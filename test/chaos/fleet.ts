import { openRelay } from '../adapters/redis/relay.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';

/** Gatehouse processes behind relays. Their addresses stay the same, and connections to them can be cut. */
export interface ChaosFleet extends FleetDeployment {
  client: FleetClient;
  /** A client with a short grace: its spent refresh tokens can be presented again only for a moment. */
  strictClient: FleetClient;
  /** Ends all connections of callers, also during a request. New connections are accepted. */
  cutCallers(index: number): Promise<void>;
}

export interface FleetClient {
  clientId: string;
  graceMs: number;
}

const clientDocument = ({ clientId, graceMs }: FleetClient) => ({
  id: clientId,
  name: 'Chaos',
  auth: 'none',
  firstParty: true,
  grants: ['password', 'refresh_token'],
  scopes: ['openid', 'profile', 'email'],
  graceSeconds: graceMs / 1000,
});

/** @param env where the stores are */
export async function startChaosFleet(processes: number, env: Record<string, string>): Promise<ChaosFleet> {
  // Faults last longer than a lost response in a good network, so the grace is long.
  const client = { clientId: 'chaos-app', graceMs: 60_000 };
  const strictClient = { clientId: 'chaos-strict', graceMs: 1_000 };
  const deployment = await startServers({
    processes,
    clients: [client, strictClient].map(clientDocument),
    env: { ...env, GATEHOUSE_LOG_LEVEL: 'error' },
  });
  const ports = deployment.origins.map((origin) => Number(new URL(origin).port));
  const relays = await Promise.all(ports.map(openRelay));
  return {
    ...deployment,
    client,
    strictClient,
    origins: relays.map(({ port }) => `http://127.0.0.1:${port}`),
    cutCallers: async (index) => relays[index]?.mend(ports[index] ?? 0),
    stop: async () => {
      await deployment.stop();
      for (const relay of relays) await relay.cut();
    },
  };
}
