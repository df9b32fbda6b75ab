import { ClientsTaken } from '../../clients/apply-clients.ts';
import { describeFieldChange, type FieldChange, shownDocument } from '../../clients/describe-change.ts';
import type { ClientConflict, ClientPlan, PlannedChange } from '../../clients/plan-clients.ts';
import { type ClientOwner, describeOwner, type StoredClient } from '../../ports/client-store.ts';
import { CommandFailure } from '../cli/command-failure.ts';

/** Only these labels are stored. */
const label = /^[A-Za-z0-9._-]{1,63}$/;

/** The owner that a command names. Throws a CommandFailure. */
export function ownerOf(name: string): ClientOwner {
  if (label.test(name)) return { source: 'commands', name };
  const message = 'The value of --owner must be 1 to 63 of the characters A-Z a-z 0-9 . _ -';
  throw new CommandFailure('usage', message, { code: 'usage' });
}

/** A planned change as JSON. It has no secret and no digest. */
export function changeDocument({ id, action, ends, fields, secretNotes, client }: PlannedChange) {
  const document = action === 'create' && client !== undefined ? shownDocument(client.document) : undefined;
  return {
    id,
    action,
    ...(document === undefined ? { fields } : { document }),
    secrets: secretNotes,
    endsTokens: ends,
  };
}

const signs = { create: '+', update: '~', delete: '-' };

/** Of a new client, only the values are shown. */
function describeFields(action: PlannedChange['action'], fields: readonly FieldChange[]): string[] {
  if (action !== 'create') return fields.flatMap(describeFieldChange);
  return fields
    .filter(({ field }) => field !== 'id')
    .map(({ field, after }) => `${field}: ${JSON.stringify(after)}`);
}

/** A plan as lines for a person. @param words how each action is called */
export function describePlan(
  { changes, unchanged }: ClientPlan,
  words: Record<PlannedChange['action'], string>,
): string {
  const lines = changes.flatMap(({ id, action, ends, fields, secretNotes }) => [
    `${signs[action]} ${id}: ${words[action]}`,
    ...describeFields(action, fields).map((line) => `    ${line}`),
    ...secretNotes.map((note) => `    ${note}`),
    ...(ends ? ['    everything it was issued ends'] : []),
  ]);
  const same = `${unchanged.length} unchanged`;
  return `${[...lines, changes.length === 0 ? `Nothing differs: ${same}.` : `${same}.`].join('\n')}\n`;
}

function describeConflict({ id, by }: ClientConflict): string {
  if (by === 'file')
    return `client ${id} is in the file that the servers read: remove it there; or take it over with --from-file, and then remove it there`;
  const advice = {
    commands: `name that owner with --owner ${by.name}, or delete it there first`,
    kubernetes: 'change that resource',
    registration: 'it registered itself, and changes itself',
  }[by.source];
  return `client ${id} belongs to ${describeOwner(by)}: ${advice}`;
}

/** The failure for clients that belong to others. */
export function takenFailure(conflicts: readonly ClientConflict[]): CommandFailure {
  const problems = conflicts.map(describeConflict);
  const [only] = problems;
  const message = problems.length === 1 && only ? only : `${problems.length} clients belong to others`;
  return new CommandFailure('problems', message, {
    code: 'client_taken',
    ...(problems.length === 1 ? {} : { problems }),
  });
}

/** Runs the work. Clients that belong to others become a CommandFailure. */
export async function explainTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ClientsTaken ? takenFailure(error.conflicts) : error;
  }
}

/** The failure for a client that is not in the store. */
export function notFound(id: string, inFile: boolean): CommandFailure {
  if (inFile) return takenFailure([{ id, by: 'file' }]);
  return new CommandFailure('problems', `There is no client ${id} in the store.`, { code: 'not_found' });
}

/** A stored client as JSON, without secrets and digests. */
export function clientDocument(client: StoredClient) {
  return {
    id: client.id,
    owner: { source: client.owner.source, name: client.owner.name },
    document: shownDocument(client.document),
    generatedSecrets: client.secrets.map(({ notAfter }) => ({ notAfter: notAfter ?? null })),
    updatedAt: new Date(client.updatedAt).toISOString(),
  };
}
