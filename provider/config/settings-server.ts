import { addressRanges, privateDestinations } from './addresses.ts';
import type { SettingTable } from './setting.ts';
import { issuer } from './uris.ts';
import { integer, matching, oneOf } from './values.ts';

const host = () => matching('an address or host name to listen on', /^[A-Za-z0-9:.-]{1,253}$/);

/** Settings about the addresses of the server, and about how it starts, stops and reports. */
export const serverSettings = {
  port: {
    name: 'GATEHOUSE_PORT',
    description: 'Port of the public listener. 0 takes any free one; then GATEHOUSE_ISSUER must be set.',
    schema: integer(0, 65535),
    default: '3000',
  },
  issuer: {
    name: 'GATEHOUSE_ISSUER',
    description:
      'The public URL of Gatehouse; the `iss` of every token, character for character. Every URL it prints begins with it.',
    schema: issuer(),
    default: {
      text: '`http://localhost:<GATEHOUSE_PORT>`',
      from: ({ port }) => (port === undefined ? undefined : new URL(`http://localhost:${port}`).origin),
    },
    example: 'https://login.example.com',
  },
  host: {
    name: 'GATEHOUSE_HOST',
    description:
      'Address the public listener binds to. Unset, `gatehouse serve` listens on every address and `gatehouse dev` on 127.0.0.1.',
    schema: host(),
    example: '127.0.0.1',
  },
  opsPort: {
    name: 'GATEHOUSE_OPS_PORT',
    description:
      'Port of the operations listener: `/livez`, `/readyz`, `/metrics`. Keep it away from the public. 0 takes any free one.',
    schema: integer(0, 65535),
    default: '9090',
  },
  opsHost: {
    name: 'GATEHOUSE_OPS_HOST',
    description: 'Address the operations listener binds to. Unset, the same as for the public one.',
    schema: host(),
    example: '127.0.0.1',
  },
  trustedProxies: {
    name: 'GATEHOUSE_TRUSTED_PROXIES',
    description:
      'The subnets of the load balancer. Forwarded headers are accepted from these addresses only. Without this setting, all requests through a load balancer seem to come from one address.',
    schema: addressRanges(),
    default: { text: 'none', from: () => '' },
    example: '10.0.0.0/8',
  },
  clientAddressHeader: {
    name: 'GATEHOUSE_CLIENT_ADDRESS_HEADER',
    description:
      'The header that holds the client address, when it comes from a trusted proxy. API Gateway HTTP APIs send `forwarded` (RFC 7239), most load balancers `x-forwarded-for`.',
    schema: oneOf('x-forwarded-for', 'forwarded'),
    default: 'x-forwarded-for',
  },
  outgoingPrivateHosts: {
    name: 'GATEHOUSE_OUTGOING_PRIVATE_HOSTS',
    description:
      'Hosts and address ranges in your own network (VPC, cluster) that `jwksUri` and `backchannelLogoutUri` of a client in your configuration may lead to. All other requests to private addresses are refused. Clients that registered themselves can never use them.',
    schema: privateDestinations(),
    default: { text: 'none', from: () => '' },
    example: 'keys.internal.example.com, 10.20.0.0/16',
  },
  limitsPercent: {
    name: 'GATEHOUSE_LIMITS_PERCENT',
    description:
      'How large limits by address and by network are, in percent of those in `docs/limits.md`. Raise it where more people share an address than they allow for, and for load tests. Limits for tries at one account stay as they are.',
    schema: integer(1, 100_000),
    default: '100',
  },
  bodyLimitKib: {
    name: 'GATEHOUSE_BODY_LIMIT_KIB',
    description: 'Largest request body that is read, in KiB. Below `/oauth2` it is 56 at most.',
    schema: integer(1, 1024),
    default: '64',
  },
  shutdownDelaySeconds: {
    name: 'GATEHOUSE_SHUTDOWN_DELAY_SECONDS',
    description:
      'After SIGTERM: how long requests are still taken while `/readyz` already answers 503, so that load balancers stop sending requests first.',
    schema: integer(0, 300),
    default: '5',
  },
  shutdownSeconds: {
    name: 'GATEHOUSE_SHUTDOWN_SECONDS',
    description: 'After that: how long requests under way may take to finish.',
    schema: integer(1, 600),
    default: '30',
  },
  readinessBlipSeconds: {
    name: 'GATEHOUSE_READINESS_BLIP_SECONDS',
    description:
      'How long Postgres or Redis may be unreachable before `/readyz` answers 503. A short failover then takes no process out of service; endpoints that need the store answer 503 meanwhile. With 0 `/readyz` answers 503 at once.',
    schema: integer(0, 300),
    default: '10',
  },
  logLevel: {
    name: 'GATEHOUSE_LOG_LEVEL',
    description: 'The lowest level of log lines that are written to standard output.',
    schema: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
  },
} satisfies SettingTable;
