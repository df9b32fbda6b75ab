import { setTimeout as pause } from 'node:timers/promises';
import type { BreakableServer } from './breakable-server.ts';
import type { Fleet } from './fleet.ts';
import type { FaultKind, Ledger } from './ledger.ts';

export interface FaultDeps {
  fleet: Fleet;
  postgres: BreakableServer;
  redis: BreakableServer;
  ledger: Ledger;
}

/** Each way to break something, and to mend it. */
export function faults({ fleet, postgres, redis, ledger }: FaultDeps) {
  const awayMs = 1_500;
  const cutOff = (server: BreakableServer) => async () => {
    await server.cut();
    await pause(awayMs);
    await server.mend();
    await fleet.allReady();
  };
  const restart =
    (server: BreakableServer, options = {}) =>
    async () => {
      await server.kill();
      await pause(awayMs / 3);
      await server.restart(options);
      await fleet.allReady();
    };
  let turn = 0;
  const kinds: Record<FaultKind, () => Promise<void>> = {
    'a process was killed': () => fleet.replace(turn++ % fleet.origins.length),
    'callers were cut off': () => fleet.cutCallers(turn++ % fleet.origins.length),
    'redis was cut off': cutOff(redis),
    'redis restarted': restart(redis),
    'postgres was cut off': cutOff(postgres),
    'postgres restarted': restart(postgres),
    'redis lost its data': restart(redis, { withoutData: true }),
  };
  return {
    kinds: Object.keys(kinds) as FaultKind[],
    commit: (kind: FaultKind) => ledger.during(kind, kinds[kind]),
  };
}
