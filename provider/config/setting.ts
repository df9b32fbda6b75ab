import type { z } from 'zod';

/** The settings that a default may depend on. A value is undefined when its setting is unset or not valid. */
export interface DefaultContext {
  port: number | undefined;
  issuer: string | undefined;
  redisUrl: string | undefined;
}

export interface ComputedDefault {
  /** The text in the reference. */
  text: string;
  /** Gives the default as text, or undefined when a setting that it depends on is not valid. */
  from(context: DefaultContext): string | undefined;
}

/** One setting, with everything that the loader, the `Config` type and the reference need. */
export interface Setting {
  name: `GATEHOUSE_${string}`;
  /** For the reference: what it does and when to change it, in Markdown. */
  description: string;
  /** Converts the text to the value. `.describe()` says what is allowed. Messages never repeat the text. */
  schema: z.ZodType<unknown, string>;
  /** The default as text. The schema checks it too. Without a default, the value of an unset setting is undefined. */
  default?: string | ComputedDefault;
  /** The value is a secret: it is never shown, not even in errors. */
  secret?: true;
  /**
   * The value is a reference to a secret. It is shown only when it is well-formed, because otherwise it may be the
   * secret itself.
   */
  reference?: true;
  example?: string;
}

export type SettingTable = Record<string, Setting>;

/** The type of a setting's value after loading. */
export type SettingValue<S extends Setting> =
  | z.output<S['schema']>
  | (S extends { default: unknown } ? never : undefined);
