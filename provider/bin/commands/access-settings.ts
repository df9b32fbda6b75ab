import type { KnownApi } from '../../clients/parse-client-documents.ts';
import type { AccessModel, AccessModelContext } from '../../config/access-model.ts';
import { loadAccessModel } from '../../config/apis.ts';
import { loadConfig, processEnvironment } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { pageSettings } from '../../config/settings-pages.ts';
import { devAccessModel } from '../demo.ts';

/**
 * Returns the APIs and roles for a command. Without a database URL they are those of `gatehouse dev`, otherwise those
 * of the settings. Throws a ConfigurationError.
 */
export function accessModelOf(
  config: AccessModelContext & Pick<Config, 'apisFile' | 'databaseUrl'>,
): AccessModel {
  return config.databaseUrl === undefined ? devAccessModel(config) : loadAccessModel(config);
}

/** Returns the audiences and scopes that client documents may name. */
export function knownApis({ apis }: AccessModel): KnownApi[] {
  return apis.map(({ audience, scopes }) => ({ audience, scopes: scopes.map(({ name }) => name) }));
}

const accessSettings = [
  // The default issuer has it, and the default API is below the issuer.
  'GATEHOUSE_PORT',
  'GATEHOUSE_ISSUER',
  'GATEHOUSE_AUDIENCE',
  'GATEHOUSE_APIS_FILE',
  'GATEHOUSE_CLIENTS_FILE',
  'GATEHOUSE_DEFAULT_CLIENT',
  'GATEHOUSE_DEVICE_FLOW',
  'GATEHOUSE_SELF_REGISTERED_SCOPES',
  'GATEHOUSE_SIGNUP_ROLES',
  'GATEHOUSE_DATABASE_URL',
] as const;

/**
 * Loads only the settings about APIs and clients; all others get their defaults. Throws a ConfigurationError.
 * @param options.anyPort true to ignore the port, because it is wrong
 */
export function loadAccessSettings(
  options: { apisFile?: string | undefined; anyPort?: boolean } = {},
): Config {
  const { apisFile, anyPort = false } = options;
  const env = environmentOf(accessSettings.filter((name) => !anyPort || name !== 'GATEHOUSE_PORT'));
  return loadConfig({ env, overrides: apisFile === undefined ? {} : { GATEHOUSE_APIS_FILE: apisFile } });
}

/** Loads only the settings about pages; all others get their defaults. Throws a ConfigurationError. */
export function loadPageSettings(): Config {
  return loadConfig({ env: environmentOf(Object.values(pageSettings).map(({ name }) => name)) });
}

function environmentOf(settings: readonly string[]) {
  const environment = processEnvironment();
  const names = settings.flatMap((name) => [name, `${name}_FILE`]);
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}
