/**
 * This folder converts environment variables and the APIs file into checked, frozen values. It opens no connections,
 * and reads only the files that settings name. Rules about one setting belong to its schema, rules about several
 * settings to `checks.ts`. This folder does not depend on the modules that use the values.
 */
import { readFileSync } from 'node:fs';
import { ConfigurationError } from '../lib/errors.ts';
import { checks } from './checks.ts';
import { type Environment, type Given, type Reading, readEnvironment } from './environment.ts';
import { type Config, type ConfigKey, type SettingName, settingList } from './schema.ts';
import type { DefaultContext, Setting } from './setting.ts';

export interface LoadOptions {
  /** Default: the environment of the process. */
  env?: Environment;
  /** Settings from the command line, as text by variable. They override the environment. */
  overrides?: Partial<Record<SettingName, string>>;
  /** Settings that this command requires. */
  required?: readonly SettingName[];
  /** Reads a file as text; throws when it can't. */
  readFile?: (path: string) => string;
}

/** The environment of the process, for values that are not settings: the secrets that `env:` references name. */
export function processEnvironment(): Environment {
  return process.env;
}

type Values = Map<ConfigKey, unknown>;

function withOverrides(env: Environment, overrides: Partial<Record<string, string>>): Environment {
  const merged: Record<string, string | undefined> = { ...env };
  for (const [name, text] of Object.entries(overrides)) {
    if (text === undefined) continue;
    merged[name] = text;
    delete merged[`${name}_FILE`];
  }
  return merged;
}

function defaultOf(setting: Setting, values: Values): Given | undefined {
  const context = {
    port: values.get('port'),
    issuer: values.get('issuer'),
    redisUrl: values.get('redisUrl'),
  } as DefaultContext;
  const text = typeof setting.default === 'object' ? setting.default.from(context) : setting.default;
  return text === undefined ? undefined : { text, label: `${setting.name} (by default)` };
}

/** Parses the given text, or else the default. Invalid settings are left out. */
function parseAll({ given, broken, problems }: Reading): Values {
  const values: Values = new Map();
  // The order of the table matters: a default depends only on settings above it.
  for (const { key, setting } of settingList) {
    if (broken.has(key)) continue;
    const written = given.get(key) ?? defaultOf(setting, values);
    if (written === undefined) {
      if (setting.default === undefined) values.set(key, undefined);
      continue;
    }
    const result = setting.schema.safeParse(written.text);
    if (result.success) values.set(key, result.data);
    else problems.push(`${written.label} ${result.error.issues.map((issue) => issue.message).join('; ')}.`);
  }
  return values;
}

function missing(values: Values, required: readonly SettingName[]): string[] {
  return settingList
    .filter(({ key, setting }) => required.some((name) => name === setting.name) && values.has(key))
    .filter(({ key }) => values.get(key) === undefined)
    .map(({ setting }) => {
      const example = setting.example === undefined ? '' : `, for example ${setting.example}`;
      return `${setting.name} is not set, and nothing works without it. Set it${example}.`;
    });
}

/**
 * Reads and checks all settings. Throws a ConfigurationError that lists every problem: the variable,
 * the given value (never of a secret), what is wrong and what to do.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const env = withOverrides(options.env ?? processEnvironment(), options.overrides ?? {});
  const reading = readEnvironment(env, options.readFile ?? ((path) => readFileSync(path, 'utf8')));
  const values = parseAll(reading);
  const problems = [...reading.problems, ...missing(values, options.required ?? [])];
  // The schema of each setting made its value, so all values that a check reads have the types of `Config`.
  const config = Object.fromEntries(values) as unknown as Config;
  for (const check of checks) {
    if (!check.settings.every((key) => values.has(key))) continue;
    const problem = check.problem(config);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return Object.freeze(config);
}
