import { type Adapter, type AdapterPayload, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Clock, epochSeconds } from '../../lib/clock.ts';
import type { OnRepeat } from './artifact-adapter.ts';

export interface CodeAdapterDeps {
  clock: Clock;
  /** How long a repeat by this client is forgiven (DESIGN §1, G2). */
  graceSeconds(clientId: string): number;
  endFamily(familyId: string): Promise<void>;
  /** The adapter of codes, with what a spent one's repeat meets. */
  artifact(options: { onRepeat: OnRepeat; showSpent: boolean }): Adapter;
  /** What a person calls it. */
  what: string;
}

/** How a request met the code it redeems. */
interface Meeting {
  /** Milliseconds since the epoch. */
  arrivedAt: number;
  sawUnspent: boolean;
}

/**
 * Codes, of which a repeat within the grace ends nothing, since apps do send one twice; a later one ends its family (G2).
 * What counts is when the request came, not when it is judged: who found the code unspent repeats nothing, however slow it is.
 */
export function createCodeAdapter(deps: CodeAdapterDeps): Adapter {
  const { clock } = deps;
  const meetings = new WeakMap<object, Meeting>();
  const onRepeat: OnRepeat = async (payload, consumedAt) => {
    if (payload.error) throw new errors.CustomOIDCProviderError(payload.error, payload.errorDescription);
    const { familyId, clientId = '' } = payload as { familyId?: string; clientId?: string };
    const request = currentRequest();
    const meeting = request && meetings.get(request);
    const since = (meeting?.arrivedAt ?? clock.now()) - consumedAt;
    const isLate = !meeting?.sawUnspent && since > deps.graceSeconds(clientId) * 1000;
    if (familyId && isLate) await deps.endFamily(familyId);
    throw new errors.InvalidGrant(`${deps.what} already used`);
  };
  const shown = deps.artifact({ onRepeat, showSpent: true });
  return {
    ...deps.artifact({ onRepeat, showSpent: false }),
    find: async (id) => {
      const arrivedAt = clock.now();
      const found = await shown.find(id);
      const request = currentRequest();
      if (found && request) meetings.set(request, { arrivedAt, sawUnspent: found.consumed === undefined });
      return found && asUnspent(found, clock);
    },
  };
}

/** A spent code isn't shown as such, nor as expired: so its repeat reaches `consume`, which says what follows. */
function asUnspent({ consumed, ...payload }: AdapterPayload, clock: Clock): AdapterPayload {
  return consumed === undefined ? payload : { ...payload, exp: epochSeconds(clock) + 60 };
}

const currentRequest = () => Provider.ctx as KoaContextWithOIDC | undefined;
