import { setTimeout as pause } from 'node:timers/promises';
import type { BreakableServer } from './breakable-server.ts';
import type { ChaosFleet } from './fleet.ts';
import type { FaultKind, Ledger } from './ledger.ts';

export interface FaultDeps {
  fleet: ChaosFleet;
  postgres: BreakableServer;
  redis: BreakableServer;
  ledger: Ledger;
}

type Break = (isBack: () => void) => Promise<void>;

/** Each way to break something and to repair it. Between two faults of stores, all stores work. */
export function faults({ fleet, postgres, redis, ledger }: FaultDeps) {
  const awayMs = 1_500;
  const cutOff =
    (server: BreakableServer): Break =>
    async (isBack) => {
      await server.cut();
      await pause(awayMs);
      await server.mend();
      isBack();
      await fleet.allReady();
    };
  const restart =
    (server: BreakableServer, options = {}): Break =>
    async (isBack) => {
      await server.kill();
      await pause(awayMs / 3);
      await server.restart(options);
      isBack();
      await fleet.allReady();
    };
  let turn = 0;
  const kinds: Record<FaultKind, Break> = {
    'redis was cut off': cutOff(redis),
    'a process was killed': () => fleet.restart(turn++ % fleet.origins.length, 'SIGKILL'),
    'postgres was cut off': cutOff(postgres),
    'redis restarted': restart(redis),
    'callers were cut off': () => fleet.cutCallers(turn++ % fleet.origins.length),
    'postgres restarted': restart(postgres),
    'redis lost its data': restart(redis, { withoutData: true }),
  };
  return {
    kinds: Object.keys(kinds) as FaultKind[],
    commit: (kind: FaultKind) => ledger.during(kind, kinds[kind]),
  };
}
