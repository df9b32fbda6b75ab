import { openConnection, postJson } from './connection.ts';
import { areaUnderCurve, median } from './statistics.ts';
import type { World } from './world.ts';

/** Compares responses for known addresses with those for unknown addresses. */
export interface Comparison {
  name: string;
  tries: number;
  knownMs: number;
  unknownMs: number;
  /** How well the time shows whether an address is known. One half means not at all. */
  areaUnderCurve: number;
  /** Whether all answers have the expected status and one text, except for values that are random. */
  sameAnswer: boolean;
}

interface Kind {
  name: string;
  emails: string[];
  request(email: string): string;
  /** The number of tries, as a share of the setting. */
  share: number;
  /** The number of tries for one address. It stays below the limit, because a refusal by a limit is sent at once. */
  most: number;
}

interface Seen {
  times: number[];
  answers: Set<string>;
}

/** The number of parallel tries. All kinds wait in one queue, as under real load. */
const atOnce = 32;

/** Values that are random in each answer. */
const random = /"(requestId|flow|confirmation)":"[^"]*"/g;

/** Tries wrong passwords, signs up and asks for recovery, all in random order, and compares how the answers differ. */
export async function compareAnswers(world: World, tries: number): Promise<Comparison[]> {
  const all = kinds(world);
  const seen = new Map(all.map(({ name }) => [name, { times: [], answers: new Set() } as Seen]));
  const waiting = shuffled(all.flatMap((kind) => triesOf(kind, Math.round(tries * kind.share))));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const connection = openConnection(world.port);
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const startedAt = performance.now();
        const { status, body } = await connection.send(next.request);
        const kind = seen.get(next.kind);
        kind?.times.push(performance.now() - startedAt);
        kind?.answers.add(`${status} ${body.replace(random, '')}`);
      }
      connection.close();
    }),
  );
  const compared = (name: string, status: number, known: string, unknown: string) =>
    compare(name, status, seen.get(known), seen.get(unknown));
  return [
    compared('a wrong password', 401, 'known', 'unknown'),
    compared('a wrong password, imported hash', 401, 'imported', 'unknown'),
    compared('an empty password', 401, 'known, empty', 'unknown, empty'),
    compared('a sign-up', 202, 'known, sign-up', 'unknown, sign-up'),
    compared('recovery', 202, 'known, recovery', 'unknown, recovery'),
  ];
}

function kinds({ known, imported }: World): Kind[] {
  const strangers = (name: string) => known.map((_, index) => `${name}-${index}@example.com`);
  // Each kind has its own accounts, so that the tries of one kind don't use up the limits of another.
  const half = Math.ceil(known.length / 2);
  const [knownHere, unknownHere] = [known.slice(0, half), strangers('unknown').slice(0, half)];
  const [knownThere, unknownThere] = [known.slice(half), strangers('unknown').slice(half)];
  const [wrong, empty] = [signIn('wrong', 9), signIn('', 9)];
  return [
    { name: 'known', emails: knownHere, ...wrong, share: 0.3 },
    { name: 'unknown', emails: unknownHere, ...wrong, share: 0.3 },
    { name: 'imported', emails: imported, ...wrong, share: 0.2 },
    { name: 'known, empty', emails: knownThere, ...empty, share: 0.1 },
    { name: 'unknown, empty', emails: unknownThere, ...empty, share: 0.1 },
    { name: 'known, sign-up', emails: known, ...signUp, share: 0.3 },
    // After the first sign-up an address is known.
    {
      name: 'unknown, sign-up',
      emails: [...strangers('new'), ...strangers('newer')],
      ...signUp,
      most: 1,
      share: 0.3,
    },
    { name: 'known, recovery', emails: known, ...recovery, share: 0.3 },
    { name: 'unknown, recovery', emails: strangers('unknown'), ...recovery, share: 0.3 },
  ];
}

const signIn = (password: string, most: number) => ({
  request: (email: string) => postJson('/auth/login', { email, password }),
  most,
});
const signUp = {
  request: (email: string) => postJson('/auth/register', { email, password: 'another walk along the river' }),
  most: 2,
};
const recovery = { request: (email: string) => postJson('/auth/recover', { email }), most: 2 };

function triesOf({ name, emails, request, most }: Kind, count: number) {
  const length = Math.min(count, emails.length * most);
  return Array.from({ length }, (_, index) => ({
    kind: name,
    request: request(emails[index % emails.length] ?? ''),
  }));
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
}

function compare(
  name: string,
  status: number,
  known: Seen | undefined,
  unknown: Seen | undefined,
): Comparison {
  const [ones, others] = [known?.times ?? [], unknown?.times ?? []];
  const answers = new Set([...(known?.answers ?? []), ...(unknown?.answers ?? [])]);
  return {
    name,
    tries: ones.length + others.length,
    knownMs: median(ones),
    unknownMs: median(others),
    areaUnderCurve: areaUnderCurve(ones, others),
    sameAnswer: answers.size === 1 && [...answers].every((answer) => answer.startsWith(`${status} `)),
  };
}
