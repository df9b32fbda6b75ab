/** A change of one field of a client document, as a person reads it. No value is a secret or a digest. */
export interface FieldChange {
  /** The name of the field. */
  field: string;
  before?: unknown;
  after?: unknown;
  /** For lists without order: what is new in the list and what it lacks now. */
  added?: unknown[];
  removed?: unknown[];
}

/** The same text for equal values. The order of their members does not matter. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)))
        : member,
    ) ?? ''
  );
}

/** Whether two documents are stored as equal ones. */
export const isEqualDocument = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);

/**
 * A secret of a document as it may be shown: a reference is a name, but a digest of a weak secret can be used to guess
 * it.
 */
function describeSecret(secret: unknown): string {
  const { ref, notAfter } = (typeof secret === 'object' && secret !== null ? secret : {}) as {
    ref?: unknown;
    notAfter?: unknown;
  };
  const what = typeof ref === 'string' ? ref : 'a digest';
  return typeof notAfter === 'string' ? `${what} until ${notAfter}` : what;
}

/** The document without digests of secrets, for people and for logs. */
export function shownDocument(document: Record<string, unknown>): Record<string, unknown> {
  if (!Array.isArray(document.secrets)) return document;
  return { ...document, secrets: document.secrets.map(describeSecret) };
}

function describeField(field: string, before: unknown, after: unknown): FieldChange {
  if (field === 'secrets') {
    const [one, other] = [before, after].map((value) =>
      Array.isArray(value) ? value.map(describeSecret) : [],
    );
    return isEqualDocument(one, other)
      ? { field, before: one, after: 'another digest' }
      : { field, before: one, after: other };
  }
  const isList = (value: unknown): value is unknown[] =>
    Array.isArray(value) && value.every((item) => typeof item !== 'object');
  if (!isList(before) || !isList(after)) {
    const change: FieldChange = { field };
    if (before !== undefined) change.before = before;
    if (after !== undefined) change.after = after;
    return change;
  }
  const added = after.filter((item) => !before.includes(item));
  const removed = before.filter((item) => !after.includes(item));
  // Only the order or the number of equal items differs.
  return added.length + removed.length === 0 ? { field, before, after } : { field, added, removed };
}

/** The changes between two documents of a client, field by field. */
export function fieldChanges(before: Record<string, unknown>, after: Record<string, unknown>): FieldChange[] {
  const fields = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return fields
    .filter((field) => !isEqualDocument(before[field], after[field]))
    .map((field) => describeField(field, before[field], after[field]));
}

const shown = (value: unknown) => (value === undefined ? 'not set' : JSON.stringify(value));

/** Gives a change as lines of text. */
export function describeFieldChange({ field, before, after, added, removed }: FieldChange): string[] {
  if (added === undefined && removed === undefined)
    return [`${field}: ${shown(before)} → ${after === 'another digest' ? after : shown(after)}`];
  return [
    ...(added ?? []).map((item) => `${field}: + ${shown(item)}`),
    ...(removed ?? []).map((item) => `${field}: - ${shown(item)}`),
  ];
}
