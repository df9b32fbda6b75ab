import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { Limits } from '../../provider/ports/limits.ts';
import { createDeviceGuard } from '../../provider/rate-limits/device-guard.ts';
import { createLimitKeys } from '../../provider/rate-limits/limit-keys.ts';
import { createRecentRefusals } from '../../provider/rate-limits/recent-refusals.ts';
import { createRequestGuard } from '../../provider/rate-limits/request-guard.ts';
import { createSignInGuard } from '../../provider/rate-limits/sign-in-guard.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** The guards over limits in memory, whose calls are counted by method. */
export function createGuardWorld({ percent = 100 } = {}) {
  const clock = createManualClock();
  const store = new MemoryLimits({ clock });
  const calls: Record<string, number> = {};
  const failing = new Set<string>();
  const limits = new Proxy(store, {
    get:
      (target, name) =>
      async (...args: unknown[]) => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        if (failing.has(String(name))) throw new Error('away');
        return Reflect.apply(Reflect.get(target, name, target), target, args);
      },
  }) as Limits;
  const limited: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const deps = {
    limits,
    percent,
    keys: createLimitKeys(createServerKeys(['a-secret-for-tests-of-the-guard'])),
    logger: { info: (fields: Record<string, unknown>) => void lines.push(fields) },
    limited: (action: string, by: string) => void limited.push(`${action} by ${by}`),
  };
  const signIns = createSignInGuard(deps);
  const devices = createDeviceGuard(deps);
  const requests = createRequestGuard({
    ...deps,
    local: new MemoryLimits({ clock }),
    refusals: createRecentRefusals(clock),
  });
  const outcome = async (work: Promise<unknown>) => {
    try {
      await work;
      return 'ok';
    } catch (error) {
      return error instanceof GatehouseError ? error.code : String(error);
    }
  };
  /** Tries to sign in, with an attempt that ends like this; gives what became of it. */
  const attempt = (
    account: string,
    address: string,
    ends: 'ok' | GatehouseError['code'] = 'ok',
    browser?: string,
  ) =>
    outcome(
      signIns.signIn({ account, address, browser }, async () => {
        if (ends !== 'ok') throw new GatehouseError(ends, ends);
      }),
    );
  return { clock, store, calls, failing, limited, lines, signIns, devices, requests, attempt, outcome };
}
