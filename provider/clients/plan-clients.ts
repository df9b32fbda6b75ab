import {
  type ClientOwner,
  isSameOwner,
  type StoredClient,
  type StoredClientSecret,
} from '../ports/client-store.ts';
import { type FieldChange, fieldChanges, isEqualDocument } from './describe-change.ts';
import { keptSecrets } from './stored-secrets.ts';

/** A client as its owner wants it. */
export interface WantedClient {
  id: string;
  /** Checked before. It is stored as it was written. */
  document: Record<string, unknown>;
  /**
   * The digests to store beside the document, for an owner who keeps the secrets itself. Without it, Gatehouse generates
   * a secret when the client needs one.
   */
  secrets?: readonly StoredClientSecret[] | undefined;
}

/** Why a client can't be written: it belongs to another owner, or the file of a process defines it. */
export interface ClientConflict {
  id: string;
  by: ClientOwner | 'file';
}

export interface PlannedChange {
  id: string;
  action: 'create' | 'update' | 'delete';
  /** What is in the store now. */
  stored: StoredClient | undefined;
  /** What is written. Undefined for a deletion. */
  client: Pick<StoredClient, 'id' | 'owner' | 'document' | 'secrets'> | undefined;
  /** Whether a secret is generated and added. */
  needsSecret: boolean;
  /** Whether everything that the client was issued ends: it is deleted, or disabled from now on. */
  ends: boolean;
  fields: FieldChange[];
  /** What happens to the secrets that are stored beside the document, for a person. */
  secretNotes: string[];
}

export interface ClientPlan {
  changes: PlannedChange[];
  unchanged: string[];
  conflicts: ClientConflict[];
}

export interface PlanInput {
  owner: ClientOwner;
  wanted: readonly WantedClient[];
  /** All clients of the store. */
  stored: readonly StoredClient[];
  /** Whether clients of the owner that are not wanted are deleted. */
  prune: boolean;
  /** The ids that the files of processes define, and that the request does not take over. */
  fileIds: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  now: number;
}

const isDisabled = (document: Record<string, unknown>) => document.enabled === false;

function secretNotes(
  before: readonly StoredClientSecret[],
  after: readonly StoredClientSecret[],
  needsSecret: boolean,
): string[] {
  const notes = needsSecret ? ['a secret is generated'] : [];
  for (const { sha256, notAfter } of before) {
    const kept = after.find((one) => one.sha256 === sha256);
    if (kept === undefined) notes.push('a stored secret stops working');
    else if (kept.notAfter !== notAfter)
      notes.push(`a stored secret works until ${kept.notAfter ?? 'it is removed'}`);
  }
  const added = after.filter(({ sha256 }) => !before.some((one) => one.sha256 === sha256));
  notes.push(...added.map(() => 'a secret is added'));
  return notes;
}

function planOne(
  wanted: WantedClient,
  stored: StoredClient | undefined,
  input: PlanInput,
): PlannedChange | undefined {
  const { id, document } = wanted;
  const current = stored?.secrets ?? [];
  const { secrets, needsNew } =
    wanted.secrets === undefined
      ? keptSecrets(document, current, input.now)
      : { secrets: wanted.secrets, needsNew: false };
  const isSame = stored && isEqualDocument(stored.document, document) && isEqualDocument(current, secrets);
  if (isSame && !needsNew) return undefined;
  return {
    id,
    action: stored === undefined ? 'create' : 'update',
    stored,
    client: { id, owner: input.owner, document, secrets },
    needsSecret: needsNew,
    ends: stored !== undefined && isDisabled(document) && !isDisabled(stored.document),
    fields: fieldChanges(stored?.document ?? {}, document),
    secretNotes: secretNotes(current, secrets, needsNew),
  };
}

const deletion = (stored: StoredClient): PlannedChange => ({
  id: stored.id,
  action: 'delete',
  stored,
  client: undefined,
  needsSecret: false,
  ends: true,
  fields: [],
  secretNotes: [],
});

/** Compares what is wanted with what is stored. It reads nothing and writes nothing. */
export function planClients(input: PlanInput): ClientPlan {
  const { owner, wanted, stored, prune, fileIds } = input;
  const known = new Map(stored.map((client) => [client.id, client]));
  const plan: ClientPlan = { changes: [], unchanged: [], conflicts: [] };
  for (const one of wanted) {
    const current = known.get(one.id);
    if (current !== undefined && !isSameOwner(current.owner, owner)) {
      plan.conflicts.push({ id: one.id, by: current.owner });
      continue;
    }
    if (fileIds.has(one.id)) plan.conflicts.push({ id: one.id, by: 'file' });
    const change = planOne(one, current, input);
    if (change === undefined) plan.unchanged.push(one.id);
    else plan.changes.push(change);
  }
  if (prune) {
    const ids = new Set(wanted.map(({ id }) => id));
    const extra = stored.filter((client) => isSameOwner(client.owner, owner) && !ids.has(client.id));
    plan.changes.push(...extra.map(deletion));
  }
  return plan;
}
