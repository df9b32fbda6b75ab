import type { z } from 'zod';

/** What a default may depend on. Undefined where the variable is unset or wrong. */
export interface DefaultContext {
  issuer: string | undefined;
  redisUrl: string | undefined;
}

export interface ComputedDefault {
  /** How the reference says it. */
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
  /** As text, checked by the schema like any other. Without one the value is undefined when unset. */
  default?: string | ComputedDefault;
  /** The value is a secret: it is never shown, not even in errors. */
  secret?: true;
  /** The value names a secret. Shown when it is well-formed; else somebody may have put the secret itself there. */
  reference?: true;
  example?: string;
}

export type SettingTable = Record<string, Setting>;

/** The value a setting has after loading. */
export type SettingValue<S extends Setting> =
  | z.output<S['schema']>
  | (S extends { default: unknown } ? never : undefined);
