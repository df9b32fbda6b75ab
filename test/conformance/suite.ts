import { writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** A module of a plan. Its variant selects what it does, for example how the client authenticates. */
export interface PlanModule {
  testModule: string;
  variant?: Record<string, string>;
}

export interface ModuleResult {
  id: string;
  /** PASSED, WARNING, REVIEW, SKIPPED, FAILED, or how the module stopped before its end. */
  result: string;
  /** The conditions that failed or gave a warning. */
  conditions: string[];
}

/** The interface that the OpenID conformance suite has for programs. */
export interface Suite {
  /** Resolves when the suite answers. */
  ready(): Promise<void>;
  createPlan(
    name: string,
    variant: Record<string, string>,
    config: object,
  ): Promise<{ id: string; modules: PlanModule[] }>;
  /** Runs one module to its end. */
  run(planId: string, module: PlanModule): Promise<ModuleResult>;
  /** Writes the report of a plan, a ZIP with HTML pages. */
  report(planId: string, file: string): Promise<void>;
}

interface LogEntry {
  src?: string;
  msg?: string;
  result?: string;
}

/** The longest that a module may take. One waits 30 seconds by itself. */
const longestMs = 180_000;

/** What the suite's own web server would add: the suite refuses a call that did not come by https. */
export const forwarded = {
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'localhost',
  'x-forwarded-port': '8443',
};

/** @param base the address of the suite, without TLS: `http://127.0.0.1:8080` */
export function createSuite(base: string): Suite {
  const call = async (method: 'GET' | 'POST', path: string, query = {}, body?: object) => {
    const response = await fetch(`${base}/api/${path}?${new URLSearchParams(query)}`, {
      method,
      headers: Object.assign(
        { accept: 'application/json, application/zip', 'content-type': 'application/json' },
        forwarded,
      ),
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${(await response.text()).slice(0, 500)}`);
    return response;
  };
  const json = async <T>(...request: Parameters<typeof call>) =>
    (await call(...request)).json() as Promise<T>;

  /** @returns how the module ended */
  async function finished(id: string): Promise<string> {
    const until = Date.now() + longestMs;
    while (Date.now() < until) {
      const { status, result } = await json<{ status: string; result?: string }>('GET', `info/${id}`);
      if (status === 'FINISHED' && result) return result;
      if (status === 'INTERRUPTED') return 'INTERRUPTED';
      if (status === 'CONFIGURED') await call('POST', `runner/${id}`);
      await pause(500);
    }
    return 'TIMED OUT';
  }

  return {
    ready: async () => {
      const until = Date.now() + longestMs;
      for (;;) {
        const answer = await json<unknown>('GET', 'runner/available').catch((error: unknown) => error);
        if (Array.isArray(answer)) return;
        if (Date.now() > until) throw new Error(`the suite does not answer: ${answer}`);
        await pause(1000);
      }
    },
    createPlan: (planName, variant, config) =>
      json('POST', 'plan', { planName, variant: JSON.stringify(variant) }, config),
    run: async (plan, { testModule: test, variant = {} }) => {
      const { id } = await json<{ id: string }>('POST', 'runner', {
        test,
        plan,
        variant: JSON.stringify(variant),
      });
      const result = await finished(id);
      const log = await json<LogEntry[]>('GET', `log/${id}`);
      const bad = log.filter((entry) => entry.result === 'WARNING' || entry.result === 'FAILURE');
      return { id, result, conditions: [...new Set(bad.map(({ src = '?' }) => src))].sort() };
    },
    report: async (planId, file) => {
      const response = await call('GET', `plan/exporthtml/${planId}`);
      await writeFile(file, new Uint8Array(await response.arrayBuffer()));
    },
  };
}
