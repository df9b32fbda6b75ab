import type { Action } from './rules.ts';

/** What a request stores before anybody has proved anything. `test/flows/anonymous-floods.test.ts` measures it. */
export interface Leftover {
  id: 'page' | 'pushed' | 'pushed-dpop' | 'device-code' | 'device-page';
  /** The request, for `docs/limits.md`. */
  request: string;
  /** The records that it stores. */
  records: string;
  /** How long they are valid. */
  seconds: number;
  /** The size of all its records together when the parameters have the longest length that is accepted. */
  mostBytes: { redis: number; postgres: number };
  /** The action whose limits apply. */
  limit: Action;
}

export const leftovers: readonly Leftover[] = [
  {
    id: 'page',
    request: 'an authorization request that leads to the sign-in page',
    records: 'the request',
    seconds: 600,
    mostBytes: { redis: 3900, postgres: 3400 },
    limit: 'page',
  },
  {
    id: 'pushed',
    request: 'a pushed authorization request of a public client',
    records: 'the request',
    seconds: 60,
    mostBytes: { redis: 3920, postgres: 3350 },
    limit: 'pushed',
  },
  {
    id: 'pushed-dpop',
    request: 'the same with a DPoP proof (RFC 9449)',
    records: 'the request, and for ten minutes that the proof was used',
    seconds: 600,
    mostBytes: { redis: 4096, postgres: 3650 },
    limit: 'pushed',
  },
  {
    id: 'device-code',
    request: 'a request of a public client for a device code',
    records: 'the code and the code to type',
    seconds: 600,
    mostBytes: { redis: 3200, postgres: 2400 },
    limit: 'device-code',
  },
  {
    id: 'device-page',
    request: 'the page `/device` in a browser without a session',
    records: 'a session without an account',
    seconds: 600,
    mostBytes: { redis: 700, postgres: 470 },
    limit: 'device-page',
  },
];
