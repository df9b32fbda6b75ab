import type { z } from 'zod';

/** What a default may depend on. Undefined where the variable is unset or wrong. */
export interface DefaultContext {
  issuer: string | undefined;
  redisUrl: string | undefined;
}

export interface ComputedDefault {
  /** The text in the reference. */
  text: string;
  /** Gives the text a person would have written, or undefined when what it depends on is wrong. */
  from(context: DefaultContext): string | undefined;
}

/** One setting: what the loader, the `Config` type and the reference know about it. */
export interface Setting {
  name: `GATEHOUSE_${string}`;
  /** For the reference: what it does and when to change it, in Markdown. */
  description: string;
  /** From text to value; `.describe()` says what is allowed. Messages never repeat the text. */
  schema: z.ZodType<unknown, string>;
  /** The default as text. The schema checks it too. Without a default, the value of an unset setting is undefined. */
  default?: string | ComputedDefault;
  /** The value is a secret: it is never shown, not even in errors. */
  secret?: true;
  /** The value names a secret. It is shown only when well-formed. Otherwise it may be the secret itself. */
  reference?: true;
  example?: string;
}

export type SettingTable = Record<string, Setting>;

/** The value a setting has after loading. */
export type SettingValue<S extends Setting> =
  | z.output<S['schema']>
  | (S extends { default: unknown } ? never : undefined);
