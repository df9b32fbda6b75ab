import { openConnection, postJson } from './connection.ts';
import { areaUnderCurve, median } from './statistics.ts';
import type { World } from './world.ts';

/** Compares responses to wrong passwords for known addresses with those for unknown addresses. */
export interface Comparison {
  name: string;
  tries: number;
  knownMs: number;
  unknownMs: number;
  /** How well the time shows whether an address is known. One half means not at all. */
  areaUnderCurve: number;
  /** Whether status and text are equal, except for the id of the request. */
  sameAnswer: boolean;
}

interface Kind {
  name: string;
  emails: string[];
  password: string;
  /** The share of all tries. */
  share: number;
}

interface Seen {
  times: number[];
  answers: Set<string>;
}

/** The number of parallel tries. All kinds wait in one queue, as under real load. */
const atOnce = 32;

/** The number of tries for one account. It stays below the limit, because a refusal by a limit is sent at once. */
const mostTries = 9;

/** Tries wrong passwords in random order, and compares how the answers differ. */
export async function compareAnswers(world: World, tries: number): Promise<Comparison[]> {
  const all = kinds(world);
  const seen = new Map(all.map(({ name }) => [name, { times: [], answers: new Set() } as Seen]));
  const waiting = shuffled(all.flatMap((kind) => triesOf(kind, Math.round(tries * kind.share))));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const connection = openConnection(world.port);
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const startedAt = performance.now();
        const { status, body } = await connection.send(postJson('/auth/login', next.credentials));
        const kind = seen.get(next.kind);
        kind?.times.push(performance.now() - startedAt);
        kind?.answers.add(`${status} ${body.replace(/"requestId":"[^"]*"/, '')}`);
      }
      connection.close();
    }),
  );
  const compared = (name: string, known: string, unknown: string) =>
    compare(name, seen.get(known), seen.get(unknown));
  return [
    compared('a wrong password', 'known', 'unknown'),
    compared('a wrong password, imported hash', 'imported', 'unknown'),
    compared('an empty password', 'known, empty', 'unknown, empty'),
  ];
}

function kinds({ known, imported }: World): Kind[] {
  const strangers = (name: string) => known.map((_, index) => `${name}-${index}@example.com`);
  // Each kind has its own accounts, so that the tries of one kind don't use up the limits of another.
  const half = Math.ceil(known.length / 2);
  return [
    { name: 'known', emails: known.slice(0, half), password: 'wrong', share: 0.3 },
    { name: 'unknown', emails: strangers('unknown').slice(0, half), password: 'wrong', share: 0.3 },
    { name: 'imported', emails: imported, password: 'wrong', share: 0.2 },
    { name: 'known, empty', emails: known.slice(half), password: '', share: 0.1 },
    { name: 'unknown, empty', emails: strangers('unknown').slice(half), password: '', share: 0.1 },
  ];
}

function triesOf({ name, emails, password }: Kind, count: number) {
  const most = Math.min(count, emails.length * mostTries);
  return Array.from({ length: most }, (_, index) => ({
    kind: name,
    credentials: { email: emails[index % emails.length], password },
  }));
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
}

function compare(name: string, known: Seen | undefined, unknown: Seen | undefined): Comparison {
  const [ones, others] = [known?.times ?? [], unknown?.times ?? []];
  const answers = new Set([...(known?.answers ?? []), ...(unknown?.answers ?? [])]);
  return {
    name,
    tries: ones.length + others.length,
    knownMs: median(ones),
    unknownMs: median(others),
    areaUnderCurve: areaUnderCurve(ones, others),
    sameAnswer: answers.size === 1,
  };
}
