import { openPages } from '../compose/open-pages.ts';
import type { AccessModel } from '../config/access-model.ts';
import { withSecondFactorRoles, withSelfRegisteredScopes, withSignupRoles } from '../config/apis.ts';
import type { Config } from '../config/schema.ts';
import type { Pages } from '../interactions/pages.ts';
import { ConfigurationError } from '../lib/errors.ts';

export interface Files {
  accessModel: AccessModel;
  pages: Pages;
}

/**
 * Reads the files that the settings name and that don't change after the start. Throws one ConfigurationError with the
 * problems of all files.
 * @param loadAccessModel may also throw a ConfigurationError
 */
export function loadFiles(config: Config, loadAccessModel: () => AccessModel): Files {
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const model = attempt(loadAccessModel);
  const accessModel = model && attempt(() => withSignupRoles(model, config.signupRoles));
  if (model) attempt(() => withSecondFactorRoles(model, config.secondFactorRoles));
  if (model) attempt(() => withSelfRegisteredScopes(model, config.selfRegisteredScopes));
  const pages = attempt(() => openPages(config));
  if (accessModel === undefined || pages === undefined || problems.length > 0)
    throw new ConfigurationError(problems);
  return { accessModel, pages };
}
