import { z } from 'zod';
import { nearMiss } from '../../lib/near-miss.ts';
import type { Account } from '../../ports/account-store.ts';
import { emailAddress } from '../email.ts';
import { storedHashProblem } from '../passwords.ts';
import { type FirebaseHash, firebaseFields } from './firebase-hash.ts';
import { type TotpFields, totpFields } from './import-totp.ts';
import { keycloakFields, keycloakHash } from './keycloak-hash.ts';

/** The fields of a line; a field that the line doesn't have is undefined. */
export interface ImportedFields {
  id: string | undefined;
  email: string;
  emailVerified: boolean | undefined;
  isUnconfirmed: boolean | undefined;
  passwordHash: string | undefined;
  roles: string[] | undefined;
  metadata: Record<string, unknown> | undefined;
  state: Account['state'] | undefined;
  tokenVersion: number | undefined;
  createdAt: number | undefined;
  updatedAt: number | undefined;
  totp?: TotpFields | undefined;
}

export interface FieldMistake {
  /** JSON Pointer (RFC 6901) of the field; empty for the line as a whole. */
  field: string;
  /** What is wrong and what to do. It never contains a hash. */
  message: string;
}

export interface ImportLineDeps {
  roles: ReadonlySet<string>;
  /** Undefined when the import has no parameters of a Firebase project. */
  firebaseHash: FirebaseHash | undefined;
}

export const longestLine = 1_048_576;
const deepest = 32;
const milliseconds1973 = 1e11;
const lastMillisecond = Date.UTC(9999, 11, 31);

const badTime = { error: 'Give a time like 2026-01-31T12:00:00Z, or milliseconds since 1970.' };
// A time in seconds would be smaller, and would be read as a time in 1970.
const sinceEpoch = z.int(badTime).min(milliseconds1973, badTime).max(lastMillisecond, badTime);
const time = z.union(
  [
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    sinceEpoch,
    // Firebase writes the milliseconds as text.
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .pipe(sinceEpoch),
  ],
  badTime,
);

const badTokenVersion = { error: 'Give a whole number from 0 to 1000000000.' };
const tokenVersion = z.int(badTokenVersion).min(0, badTokenVersion).max(1_000_000_000, badTokenVersion);

const roleList = z
  .array(z.string({ error: 'Give each role as text.' }), {
    error: 'Give a list of roles, like ["CLIENT"].',
  })
  .max(100, { error: 'An account has at most 100 roles.' });

const flag = z.boolean({ error: 'Give true or false.' });

const metadata = z.custom<Record<string, unknown>>(
  (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isDeeperThan(value, deepest),
  { error: `Give an object, nested at most ${deepest} deep.` },
);

const lineSchema = z.strictObject({
  id: z
    .string({ error: 'Give the id as text, or leave it out.' })
    .regex(/^user_[A-Za-z0-9_-]{1,64}$/, {
      error: 'An id is user_ and 1 to 64 letters, digits, _ or -. Put user_ before an id of another system.',
    })
    .optional(),
  email: emailAddress,
  emailVerified: flag.optional(),
  /** From an export: the person signed up and has not proved the address yet. */
  unconfirmed: flag.optional(),
  passwordHash: z.string({ error: 'Give the hash as text.' }).optional(),
  firebase: firebaseFields.optional(),
  keycloak: keycloakFields.optional(),
  roles: roleList.optional(),
  metadata: metadata.optional(),
  disabled: flag.optional(),
  /** The token version. `generation` is its name in the format. */
  generation: tokenVersion.optional(),
  createdAt: time.optional(),
  updatedAt: time.optional(),
  totp: totpFields.optional(),
});

type Line = z.infer<typeof lineSchema>;

/** Reads one line. Gives the fields of the account, or all mistakes of the line. */
export function readImportLine(
  text: string,
  deps: ImportLineDeps,
): { fields: ImportedFields } | { mistakes: FieldMistake[] } {
  const value = parseJson(text);
  if (value === undefined) return { mistakes: [notAnObject] };
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) return { mistakes: parsed.error.issues.flatMap(mistakesOf) };
  const line = parsed.data;
  const hash = hashOf(line, deps.firebaseHash);
  const mistakes = [...roleMistakes(line.roles ?? [], deps.roles), ...('message' in hash ? [hash] : [])];
  if (mistakes.length > 0 || 'message' in hash) return { mistakes };
  const { id, email, emailVerified, roles, generation, createdAt, updatedAt, totp } = line;
  const state = line.disabled === undefined ? undefined : line.disabled ? 'disabled' : 'active';
  const rest = {
    metadata: line.metadata,
    state,
    passwordHash: hash.stored,
    isUnconfirmed: line.unconfirmed,
  } as const;
  return {
    fields: {
      id,
      email,
      emailVerified,
      roles,
      tokenVersion: generation,
      createdAt,
      updatedAt,
      totp,
      ...rest,
    },
  };
}

const notAnObject: FieldMistake = {
  field: '',
  message: "This line isn't a JSON object. Write each account as one object on its own line.",
};

/** A field that is null counts as missing, because databases export missing values as null. */
function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
  } catch {
    return undefined;
  }
}

function mistakesOf(issue: z.core.$ZodIssue): FieldMistake[] {
  const at = (path: readonly PropertyKey[]) => pointer(path);
  if (issue.code !== 'unrecognized_keys') return [{ field: at(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({ field: at([...issue.path, key]), message: unknownField(key) }));
}

function unknownField(key: string): string {
  const intended = nearMiss(key, Object.keys(lineSchema.shape));
  return intended === undefined
    ? 'There is no such field. Put it into metadata, or leave it out.'
    : `There is no such field. Did you mean ${intended}?`;
}

function hashOf(line: Line, firebaseHash: FirebaseHash | undefined): { stored?: string } | FieldMistake {
  const given = (['passwordHash', 'firebase', 'keycloak'] as const).filter(
    (name) => line[name] !== undefined,
  );
  const field = pointer(given.slice(0, 1));
  if (given.length > 1) return { field, message: `Give one of ${given.join(' and ')}, not both.` };
  const converted = convertedHash(line, firebaseHash);
  if ('problem' in converted) return { field, message: converted.problem };
  if (converted.stored === undefined) return {};
  const problem = storedHashProblem(converted.stored);
  return problem === undefined ? { stored: converted.stored } : { field, message: problem };
}

function convertedHash(
  { passwordHash, firebase, keycloak }: Line,
  firebaseHash: FirebaseHash | undefined,
): { stored?: string | undefined } | { problem: string } {
  if (keycloak !== undefined) return keycloakHash(keycloak);
  if (firebase === undefined) return { stored: passwordHash };
  if (firebaseHash !== undefined) return firebaseHash(firebase);
  return {
    problem: "Firebase's hashes need the project's password hash parameters. Give them to the import.",
  };
}

function roleMistakes(roles: string[], known: ReadonlySet<string>): FieldMistake[] {
  return roles.flatMap((role, index) => {
    if (known.has(role)) return [];
    const intended = nearMiss(role, [...known]);
    const hint =
      intended === undefined ? 'Define it with the APIs, or leave it out.' : `Did you mean ${intended}?`;
    return [
      {
        field: pointer(['roles', index]),
        message: `There is no role ${JSON.stringify(role.slice(0, 64))}. ${hint}`,
      },
    ];
  });
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

const pointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
