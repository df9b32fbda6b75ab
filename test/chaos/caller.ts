import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger, Store } from './ledger.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** The unchanged body. */
  text: string;
  /** The time when the answered request was sent. */
  sentAt: number;
  /** The number of earlier requests without an answer. */
  repeats: number;
}

export interface CallerDeps {
  origins: readonly string[];
  ledger: Ledger;
  /** Returns true if no request may be repeated any more. */
  isOver(): boolean;
  /** The longest wait for an answer. Gatehouse must answer earlier, whatever is broken. */
  hungMs?: number;
}

/** Each kind of request with the stores that it needs. */
const needs = {
  'sign-up': ['postgres'],
  'sign-in': ['postgres', 'redis'],
  'sign-in, token endpoint': ['postgres', 'redis'],
  refresh: ['postgres', 'redis'],
  'refresh, token endpoint': ['postgres', 'redis'],
  profile: ['postgres'],
  'sign-out': ['postgres', 'redis'],
} as const satisfies Record<string, readonly Store[]>;

export type Question = keyof typeof needs;

/** Sends a request to any process. Repeats it without an answer or after `Retry-After`, as a good app does. */
export function createCaller({ origins, ledger, isOver, hungMs = 15_000 }: CallerDeps) {
  const once = async (what: Question, path: string, init: RequestInit) => {
    const sentAt = Date.now();
    const origin = origins[Math.floor(Math.random() * origins.length)];
    try {
      const response = await fetch(`${origin}${path}`, { ...init, signal: AbortSignal.timeout(hungMs) });
      const text = await response.text();
      judge(what, response, sentAt, text);
      ledger.count(`${what} ${response.status}`);
      if (response.status >= 500 || response.status === 429) return undefined;
      return { status: response.status, body: text === '' ? {} : JSON.parse(text), text, sentAt };
    } catch (error) {
      // The class can't be compared, because it belongs to another realm than the test.
      const isHung = (error as { name?: unknown }).name === 'TimeoutError';
      if (isHung) ledger.violated(`${what} had no answer after ${hungMs} ms`);
      ledger.count(`${what} ${isHung ? 'hung' : 'no answer'}`);
      return undefined;
    }
  };

  const judge = (what: Question, response: Response, sentAt: number, text: string) => {
    const isExcused = ledger.wasAway(needs[what], sentAt, Date.now());
    if (!isExcused) ledger.count('answered while no store was away that it takes');
    if (response.status < 500) return;
    const answered = `${what} was answered with ${response.status}`;
    if (response.status !== 503) return ledger.violated(`${answered}: ${text.slice(0, 200)}`);
    if (!response.headers.has('retry-after')) ledger.violated(`${answered} without Retry-After`);
    if (!isExcused) ledger.violated(`${answered} while no store was away: ${text.slice(0, 200)}`);
  };

  /** Repeats the request until it is answered. Returns undefined if the run ends before. */
  return async (what: Question, path: string, init: RequestInit): Promise<Answer | undefined> => {
    const startedAt = Date.now();
    for (let repeats = 0; ; repeats += 1) {
      const answer = await once(what, path, init);
      if (answer) ledger.took(what, Date.now() - startedAt);
      if (answer) return { ...answer, repeats };
      if (isOver()) return undefined;
      await pause(100 + Math.random() * 200);
    }
  };
}

export type Caller = ReturnType<typeof createCaller>;
