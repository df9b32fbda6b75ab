import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { epochSeconds } from '../../lib/clock.ts';
import type { ArtifactKind } from '../../ports/oidc-store.ts';
import { currentContext } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { preloadSignIn } from '../sessions/accounts-view.ts';
import { artifactAdapter, createArtifacts, type FoundArtifact, type SpendOutcome } from './artifacts.ts';

type Services = Pick<
  OidcServices,
  'store' | 'keys' | 'clock' | 'config' | 'clients' | 'revocation' | 'denylist' | 'reads'
>;

export interface CodeOptions {
  kind: Extract<ArtifactKind, 'AuthorizationCode' | 'DeviceCode'>;
  /** Its name in error descriptions. */
  name: string;
}

/** RFC 6749 §4.1.2 recommends that no code lives longer, so a spent code need not be remembered longer. */
export const rememberSpentSeconds = 600;

/** The state of the code when the request found it. */
interface Finding {
  /** Milliseconds since the epoch. */
  arrivedAt: number;
  wasUnspent: boolean;
}

/**
 * The adapter for codes. A repeat within the grace ends nothing, because some apps send a code twice. A later repeat
 * ends the family (G2). The arrival time of the request decides. A request that found the code unspent is not a repeat,
 * however slow it is.
 */
export function createCodeAdapter(services: Services, { kind, name }: CodeOptions): Adapter {
  const { clock, clients, config, revocation } = services;
  const artifacts = createArtifacts(kind, services);
  const findings = new WeakMap<object, Finding>();

  const refuseRepeat = async (lost: Exclude<SpendOutcome, { outcome: 'won' }>): Promise<never> => {
    const { payload, spentAt }: { payload: AdapterPayload; spentAt?: number } =
      lost.outcome === 'lost' ? lost : { payload: {} };
    if (payload.error) throw new errors.CustomOIDCProviderError(payload.error, payload.errorDescription);
    const { familyId, clientId = '', sid } = payload as Partial<Record<string, string>>;
    const request = currentContext();
    const finding = request && findings.get(request);
    const graceSeconds = clients.find(clientId)?.graceSeconds ?? config.graceSeconds;
    const since = (finding?.arrivedAt ?? clock.now()) - (spentAt ?? clock.now());
    const isLate = !finding?.wasUnspent && since >= graceSeconds * 1000;
    if (familyId && isLate) await revocation.endFamily(familyId, { sid });
    throw new errors.InvalidGrant(`${name} already used`);
  };

  return {
    ...artifactAdapter(artifacts),
    find: async (id) => {
      const arrivedAt = clock.now();
      const found = await artifacts.find(id);
      const request = currentContext();
      if (!found || !request) return found && hideSpent(found, services);
      findings.set(request, { arrivedAt, wasUnspent: found.spentAt === undefined });
      const { accountId } = found.payload;
      if (accountId !== undefined && request.oidc.route === 'token')
        await preloadSignIn(services, accountId, found.payload);
      return hideSpent(found, services);
    },
    findByUserCode: async (userCode) => {
      const found = await artifacts.findByIndex(userCode);
      return found && hideSpent(found, services);
    },
    consume: async (id) => {
      const result = await artifacts.spend(id, rememberSpentSeconds);
      if (result.outcome !== 'won') await refuseRepeat(result);
    },
  };
}

/**
 * The library would end a whole grant for a code that it sees as spent (DESIGN §6.1, §6.10), and refuses an expired one
 * before it checks the sender. So this adapter presents a spent code as unspent and unexpired. Then a repeat of the
 * code reaches `consume`.
 */
function hideSpent({ payload, spentAt }: FoundArtifact, { clock }: Pick<Services, 'clock'>): AdapterPayload {
  return spentAt === undefined ? payload : { ...payload, exp: epochSeconds(clock) + 60 };
}
