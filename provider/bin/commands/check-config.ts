import { checkClientDocument } from '../../clients/check-client-document.ts';
import { createClientRegistry } from '../../clients/client-registry.ts';
import { describeClientProblem } from '../../clients/parse-client-documents.ts';
import { openClientsFile } from '../../compose/adapters.ts';
import { openPages } from '../../compose/open-pages.ts';
import { version } from '../../compose/version.ts';
import type { AccessModel } from '../../config/access-model.ts';
import { loadAccessModel } from '../../config/apis.ts';
import { loadConfig, processEnvironment } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../lib/clock.ts';
import { ConfigurationError } from '../../lib/errors.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { protocolScopes } from '../../lib/oidc-scopes.ts';
import { type ClientSource, ClientSourceUnreadable } from '../../ports/client-source.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { demoAccessModel, demoClients } from '../demo.ts';
import { loadAccessSettings, loadPageSettings } from './access-settings.ts';
import { knownApis } from './known-apis.ts';
import { silentLogger } from './silent-logger.ts';

/** For which command the settings must do. */
export type Purpose = 'serve' | 'dev';

/** What `gatehouse serve` can't do without. */
const neededToServe = ['GATEHOUSE_DATABASE_URL', 'GATEHOUSE_KEYS', 'GATEHOUSE_SERVER_SECRETS'] as const;

/** Runs one check; keeps what it found wrong. */
type Attempt = <T>(check: () => T | Promise<T>) => Promise<T | undefined>;

const isSet = (name: string) => [name, `${name}_FILE`].some((variable) => processEnvironment()[variable]);

/** `gatehouse config check`. Throws a CommandFailure with everything that is wrong. */
export async function checkConfig(
  { purpose }: { purpose?: Purpose | undefined },
  output: Output,
): Promise<void> {
  const serving = purpose === undefined ? neededToServe.some(isSet) : purpose === 'serve';
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
  const config = await attempt(() => loadConfig({ required: serving ? neededToServe : [] }));
  const files = config ?? (await attempt(loadAccessSettings));
  if (config && purpose === 'dev') {
    const { refuseRemoteIssuer } = await import('../serve.ts');
    await attempt(() => refuseRemoteIssuer(config));
  }
  if (files) await checkFiles(files, { serving, attempt });
  const looks = config ?? (await attempt(loadPageSettings));
  if (looks) await attempt(() => openPages(looks));
  report({ serving, problems: [...new Set(problems)] }, output);
}

async function checkFiles(config: Config, { serving, attempt }: { serving: boolean; attempt: Attempt }) {
  const demo = !serving && config.apisFile === undefined;
  const model = await attempt(() => (demo ? demoAccessModel(config.audience) : loadAccessModel(config)));
  const source = clientSource(config, serving);
  if (model) await attempt(() => checkClients(config, model, source));
  else await attempt(() => checkClientsAlone(source));
}

function clientSource({ clientsFile, audience }: Config, serving: boolean): ClientSource {
  if (clientsFile !== undefined) return openClientsFile(clientsFile);
  const documents = serving ? [] : demoClients(audience).map((value) => ({ origin: 'demo', value }));
  return { name: 'clients', load: async () => documents, watch: () => () => {} };
}

/** As a start would, but without reading secrets: they may be elsewhere than where this is checked. */
async function checkClients(config: Config, model: AccessModel, source: ClientSource): Promise<void> {
  const registry = await createClientRegistry({
    sources: [source],
    apis: knownApis(model),
    protocolScopes,
    deviceFlow: config.deviceFlow,
    secrets: { resolve: async () => 'unread' },
    clock: systemClock,
    logger: silentLogger(),
    metrics: createMetrics({ version, runtime: false }),
    defaultClientId: config.defaultClient,
  });
  await registry.close();
}

/** While the APIs can't be read, what can be said without them. */
async function checkClientsAlone(source: ClientSource): Promise<void> {
  const raw = await source.load().catch((error: unknown) => {
    throw error instanceof ClientSourceUnreadable ? new ConfigurationError([error.message]) : error;
  });
  const problems = raw.flatMap(({ origin, value }) => {
    const checked = checkClientDocument(value);
    if (checked.ok) return [];
    const clientId = checked.fields.id;
    return checked.problems.map((problem) => describeClientProblem({ origin, clientId, ...problem }));
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function report({ serving, problems }: { serving: boolean; problems: string[] }, output: Output): void {
  const ok = problems.length === 0;
  const missing = neededToServe.filter((name) => !isSet(name));
  const more = serving ? '' : ` gatehouse serve would need ${missing.join(', ')} too.`;
  if (ok || output.json) {
    const document = { ok, for: serving ? 'serve' : 'dev', problems };
    output.result(document, `Nothing is wrong with the settings and the files they name.${more}`);
  }
  if (ok) return;
  const heading = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  throw new CommandFailure('configuration', heading, { code: 'configuration', problems });
}
