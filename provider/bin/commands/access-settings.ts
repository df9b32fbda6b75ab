import type { AccessModel, AccessModelContext } from '../../config/access-model.ts';
import { loadAccessModel } from '../../config/apis.ts';
import { loadConfig, processEnvironment } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { pageSettings } from '../../config/settings-pages.ts';
import { demoAccessModel } from '../demo.ts';

/**
 * The APIs and roles that apply to a command: those `gatehouse dev` would use as long as no database is named.
 * Throws a ConfigurationError.
 */
export function accessModelOf(
  config: AccessModelContext & Pick<Config, 'apisFile' | 'databaseUrl'>,
): AccessModel {
  const demo = config.apisFile === undefined && config.databaseUrl === undefined;
  return demo ? demoAccessModel(config.audience) : loadAccessModel(config);
}

const accessSettings = [
  'GATEHOUSE_ISSUER',
  'GATEHOUSE_AUDIENCE',
  'GATEHOUSE_APIS_FILE',
  'GATEHOUSE_CLIENTS_FILE',
  'GATEHOUSE_DEFAULT_CLIENT',
  'GATEHOUSE_DEVICE_FLOW',
  'GATEHOUSE_DATABASE_URL',
] as const;

/** The settings that say who may have what, as they are, and the others as if nobody had set them. Throws a ConfigurationError. */
export function loadAccessSettings(overrides: { apisFile?: string | undefined } = {}): Config {
  const { apisFile } = overrides;
  const env = environmentOf(accessSettings);
  return loadConfig({ env, overrides: apisFile === undefined ? {} : { GATEHOUSE_APIS_FILE: apisFile } });
}

/** The same for the settings that say how pages look. Throws a ConfigurationError. */
export function loadPageSettings(): Config {
  return loadConfig({ env: environmentOf(Object.values(pageSettings).map(({ name }) => name)) });
}

function environmentOf(settings: readonly string[]) {
  const environment = processEnvironment();
  const names = settings.flatMap((name) => [name, `${name}_FILE`]);
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}
