type Kind = 'string' | 'number' | 'boolean' | 'string[]' | 'object';

/** The fields of an object. A question mark means that the field can be missing. More fields are always allowed. */
export type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

const isOf: Record<Kind, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  'string[]': (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  object: isObject,
};

/** Whether the value is an object and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns the name of the first field that is missing or of another kind; undefined if all fields are right */
export function firstMismatch(value: Record<string, unknown>, shape: Shape): string | undefined {
  return Object.entries(shape).find(([name, kind]) => {
    if (value[name] === undefined) return !kind.endsWith('?');
    return !isOf[kindOf(kind)](value[name]);
  })?.[0];
}

/** The kind of a field, without the question mark. */
export const kindOf = (kind: Shape[string]): Kind => kind.replace('?', '') as Kind;
