import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger, Store } from './ledger.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** Byte for byte. */
  text: string;
  /** When the question was sent that got this answer. */
  sentAt: number;
  /** How many were sent before, in vain. */
  repeats: number;
}

export interface CallerDeps {
  origins: readonly string[];
  ledger: Ledger;
  /** Stops asking again. */
  isOver(): boolean;
  /** An answer that takes longer isn't waited for: whatever is broken, somebody has to say so sooner. */
  hungMs?: number;
}

/** What is asked, and the stores without which it can't be answered. */
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

/** Asks any process, and again where nothing came back or it was told to come later, as a well-made app does. */
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
      // Not by its class: that is one of outside the test's own realm.
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

  /** Until there is an answer; undefined when the run is over before. */
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
