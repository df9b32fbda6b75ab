import { checkClientDocument } from '../../clients/check-client-document.ts';
import { createClientRegistry } from '../../clients/client-registry.ts';
import { describeClientProblem } from '../../clients/parse-client-documents.ts';
import { openClientsFile } from '../../compose/adapters.ts';
import { openPages } from '../../compose/open-pages.ts';
import { unreadSecrets } from '../../compose/process-secrets.ts';
import { version } from '../../compose/version.ts';
import type { AccessModel } from '../../config/access-model.ts';
import {
  loadAccessModel,
  withSecondFactorRoles,
  withSelfRegisteredScopes,
  withSignupRoles,
} from '../../config/apis.ts';
import { loadConfig, processEnvironment } from '../../config/load.ts';
import { type Config, requiredToServe } from '../../config/schema.ts';
import { knownClaims } from '../../config/token-budget.ts';
import { systemClock } from '../../lib/clock.ts';
import { ConfigurationError } from '../../lib/errors.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { protocolScopes } from '../../lib/oidc-scopes.ts';
import { type ClientSource, ClientSourceUnreadable } from '../../ports/client-source.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { demoClientSource, devAccessModel, refuseRemoteIssuer } from '../demo.ts';
import { knownApis, loadAccessSettings, loadPageSettings } from './access-settings.ts';
import { silentLogger } from './silent-logger.ts';

/** The command that the settings are checked for. */
export type Purpose = 'serve' | 'dev';

/** Runs one check and collects its problems. */
type Attempt = <T>(check: () => T | Promise<T>) => Promise<T | undefined>;

const isSet = (name: string) => [name, `${name}_FILE`].some((variable) => processEnvironment()[variable]);

/** `gatehouse config check`. Throws a CommandFailure that lists every problem. */
export async function checkConfig(
  { purpose }: { purpose?: Purpose | undefined },
  output: Output,
): Promise<void> {
  const serving = purpose === undefined ? requiredToServe.some(isSet) : purpose === 'serve';
  const problems: string[] = [];
  const attempt: Attempt = async (check) => {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems.flatMap((problem) => problem.split('\n')));
      return undefined;
    }
  };
  const config = await attempt(() => loadConfig({ required: serving ? requiredToServe : [] }));
  const files =
    config ??
    (await attempt(() => loadAccessSettings())) ??
    (await attempt(() => loadAccessSettings({ anyPort: true })));
  if (config && purpose === 'dev') await attempt(() => refuseRemoteIssuer(config));
  if (files) await checkFiles(files, { serving, attempt, output });
  const looks = config ?? (await attempt(loadPageSettings));
  if (looks) await attempt(() => openPages(looks));
  report({ serving, problems: [...new Set(problems)] }, output);
}

async function checkFiles(
  config: Config,
  { serving, attempt, output }: { serving: boolean; attempt: Attempt; output: Output },
) {
  const model = await attempt(() => (serving ? loadAccessModel(config) : devAccessModel(config)));
  if (model) await attempt(() => withSignupRoles(model, config.signupRoles));
  if (model) await attempt(() => withSecondFactorRoles(model, config.secondFactorRoles));
  if (model) await attempt(() => withSelfRegisteredScopes(model, config.selfRegisteredScopes));
  const source = clientSource(config, serving);
  if (model) await attempt(() => checkClients(config, model, source, output));
  else await attempt(() => checkClientsAlone(source));
}

function clientSource({ clientsFile, audience }: Config, serving: boolean): ClientSource {
  if (clientsFile !== undefined) return openClientsFile(clientsFile);
  if (!serving) return demoClientSource(audience);
  return { name: 'none', eachByItself: false, load: async () => [], watch: () => () => {} };
}

/** Checks client documents as the start does, but reads no secrets: they may not exist on this machine. */
async function checkClients(
  config: Config,
  model: AccessModel,
  source: ClientSource,
  output: Output,
): Promise<void> {
  const registry = await createClientRegistry({
    sources: [source],
    apis: knownApis(model),
    claims: knownClaims(model, config.issuer),
    protocolScopes,
    deviceFlow: config.deviceFlow,
    secrets: unreadSecrets,
    clock: systemClock,
    logger: silentLogger(),
    metrics: createMetrics({ version, runtime: false }),
  });
  const { defaultClient } = config;
  if (defaultClient !== undefined && registry.find(defaultClient) === undefined)
    output.note(
      `GATEHOUSE_DEFAULT_CLIENT names ${defaultClient}, which no file defines. It must be in the database: gatehouse clients list`,
    );
  await registry.close();
}

/** Used when the APIs can't be read. Checks the part of each client document that doesn't depend on them. */
async function checkClientsAlone(source: ClientSource): Promise<void> {
  const problems: string[] = [];
  const raw = await source.load().catch((error: unknown) => {
    if (!(error instanceof ClientSourceUnreadable)) throw error;
    problems.push(error.message);
    return error.readable;
  });
  const found = raw.flatMap(({ origin, value }) => {
    const checked = checkClientDocument(value);
    if (checked.ok) return [];
    const clientId = checked.fields.id;
    return checked.problems.map((problem) => describeClientProblem({ origin, clientId, ...problem }));
  });
  problems.push(...found);
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function report({ serving, problems }: { serving: boolean; problems: string[] }, output: Output): void {
  const ok = problems.length === 0;
  const missing = requiredToServe.filter((name) => !isSet(name));
  const more = serving ? '' : ` gatehouse serve would need ${missing.join(', ')} too.`;
  if (ok || output.json) {
    const document = { ok, for: serving ? 'serve' : 'dev', problems };
    output.result(document, `Nothing is wrong with the settings and the files they name.${more}`);
  }
  if (ok) return;
  const heading = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  throw new CommandFailure('configuration', heading, { code: 'configuration', problems });
}
