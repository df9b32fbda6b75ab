import { ConfigurationError } from '../lib/errors.ts';
import { redactText } from '../lib/logger.ts';
import { nearMiss } from '../lib/near-miss.ts';
import { refuseReadableByOthers } from '../lib/secret-files.ts';
import { type ConfigKey, settingList } from './schema.ts';
import type { Setting } from './setting.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a setting, and its label in errors. The label has no value when the value may be a secret. */
export interface Given {
  text: string;
  label: string;
}

export interface Reading {
  given: ReadonlyMap<ConfigKey, Given>;
  /** Settings that are set, but whose text could not be read. */
  broken: ReadonlySet<ConfigKey>;
  problems: string[];
}

function shown(setting: Setting, text: string): string {
  // In a URL, a password with an unencoded character can look like a part of the path.
  const mayHoldPassword = text.includes('://') && text.includes('@');
  if (setting.secret || setting.reference || mayHoldPassword) return 'value not shown';
  const safe = redactText(text);
  return JSON.stringify(safe.length > 100 ? `${safe.slice(0, 100)}…` : safe);
}

function readFrom(file: string, setting: Setting, readFile: (path: string) => string): Given | string {
  const variable = `${setting.name}_FILE`;
  // The text may be the secret itself, put where the path of its file belongs.
  const shownFile = setting.secret || setting.reference ? 'that it names' : redactText(file);
  try {
    if (setting.secret) refuseReadableByOthers(file, 'a secret');
    const text = readFile(file).replace(/\r?\n$/, '');
    if (text === '') return `${variable}: the file ${shownFile} is empty. Write the value into it.`;
    return { text, label: `${setting.name} (from the file ${file})` };
  } catch (error) {
    if (error instanceof ConfigurationError) return `${variable}: ${error.message}`;
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    return `${variable}: the file ${shownFile} can't be read (${code}). Check the path and its permissions.`;
  }
}

function readOne(setting: Setting, text: string, file: string, readFile: (path: string) => string) {
  if (text === '') return readFrom(file, setting, readFile);
  if (file === '') return { text, label: `${setting.name} (${shown(setting, text)})` };
  return `${setting.name} and ${setting.name}_FILE are both set. Keep one of them.`;
}

/**
 * Kubernetes sets such variables in every container for each Service of the namespace, for example
 * `GATEHOUSE_PORT=tcp://…` for a Service named gatehouse. They are neither settings nor mistakes, so they are ignored.
 */
function isServiceLink(name: string, text: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_.+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text))
  );
}

function isIgnored(name: string, text: string): boolean {
  return text === '' || name.startsWith('GATEHOUSE_TEST_') || isServiceLink(name, text);
}

function unknownNames(env: Environment): string[] {
  const known = settingList.flatMap(({ setting }) => [setting.name, `${setting.name}_FILE`]);
  return Object.keys(env)
    .filter((name) => name.startsWith('GATEHOUSE_') && !known.includes(name))
    .filter((name) => !isIgnored(name, env[name] ?? ''))
    .map((name) => {
      const meant = nearMiss(name, known);
      const advice =
        meant === undefined ? 'Remove it or see docs/configuration.md.' : `Did you mean ${meant}?`;
      return `${name}: there is no such setting. ${advice}`;
    });
}

/** Gives the texts of all settings that are set, directly or through `_FILE`, and the problems found before parsing. */
export function readEnvironment(env: Environment, readFile: (path: string) => string): Reading {
  const given = new Map<ConfigKey, Given>();
  const broken = new Set<ConfigKey>();
  const problems = unknownNames(env);
  for (const { key, setting } of settingList) {
    const direct = env[setting.name] ?? '';
    const text = isServiceLink(setting.name, direct) ? '' : direct;
    const file = env[`${setting.name}_FILE`] ?? '';
    if (text === '' && file === '') continue;
    const read = readOne(setting, text, file, readFile);
    if (typeof read === 'string') {
      broken.add(key);
      problems.push(read);
    } else {
      given.set(key, read);
    }
  }
  return { given, broken, problems };
}
