import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from './ledger.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** Byte for byte. */
  text: string;
  sentAt: number;
}

export interface CallerDeps {
  origins: readonly string[];
  ledger: Ledger;
  /** Stops asking again. */
  isOver(): boolean;
}

/** Asks any process, and again where nothing came back or it was told to come later, as a well-made app does. */
export function createCaller({ origins, ledger, isOver }: CallerDeps) {
  const once = async (what: string, path: string, init: RequestInit): Promise<Answer | undefined> => {
    const sentAt = Date.now();
    const origin = origins[Math.floor(Math.random() * origins.length)];
    try {
      const response = await fetch(`${origin}${path}`, { ...init, signal: AbortSignal.timeout(15_000) });
      const text = await response.text();
      judge(what, response, sentAt);
      ledger.count(`${what} ${response.status}`);
      if (response.status >= 500 || response.status === 429) return undefined;
      return { status: response.status, body: text === '' ? {} : JSON.parse(text), text, sentAt };
    } catch {
      ledger.count(`${what} no answer`);
      return undefined;
    }
  };

  const judge = (what: string, response: Response, sentAt: number) => {
    if (response.status < 500) return;
    if (response.status !== 503) return ledger.violated(`${what} was answered with ${response.status}`);
    if (!response.headers.has('retry-after'))
      ledger.violated(`${what} was answered with 503 without Retry-After`);
    if (!ledger.wasStoreAway(sentAt, Date.now()))
      ledger.violated(`${what} was answered with 503 while no store was away`);
  };

  /** Until there is an answer; undefined when the run is over before. */
  return async (what: string, path: string, init: RequestInit): Promise<Answer | undefined> => {
    const startedAt = Date.now();
    for (;;) {
      const answer = await once(what, path, init);
      if (answer) ledger.took(what, Date.now() - startedAt);
      if (answer || isOver()) return answer;
      await pause(100 + Math.random() * 200);
    }
  };
}

export type Caller = ReturnType<typeof createCaller>;

export const postJson = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
