import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  clientDocumentJsonSchema,
  renderClientJsonSchema,
  renderClientsFileJsonSchema,
} from '../clients/json-schema.ts';
import { version } from '../compose/version.ts';
import { renderConfigurationDocs } from '../config/docs.ts';
import { renderEventsJsonSchema } from '../events/events-json-schema.ts';
import { renderEventsMarkdown } from '../events/events-markdown.ts';
import { type JsonApiDeps, jsonApiEndpoints } from '../json-api/endpoints.ts';
import { openApiDocument } from '../json-api/openapi.ts';
import { verifyDescription } from '../json-api/verify.ts';
import { packageRoot } from '../lib/package-root.ts';
import { ownRules, renderAccessRules, watchedRules } from '../operator/access-rules.ts';
import { renderResourceDefinition } from '../operator/resource-definition.ts';
import { renderLimitsMarkdown } from '../rate-limits/limits-markdown.ts';
import { renderChartReadme } from './chart/values-readme.ts';
import { renderValuesSchema } from './chart/values-schema.ts';
import { renderCommandReference } from './cli/reference.ts';
import {
  renderAccessTokenClaims,
  renderAccessTokenClaimsJsonSchema,
  renderEventTypes,
} from './verify-package.ts';

/** The generator only reads the table of endpoints and calls none of its functions. */
const uncalled = {} as JsonApiDeps;

function renderOpenApi(): string {
  const document = openApiDocument([...jsonApiEndpoints(uncalled), verifyDescription], {
    issuer: 'http://localhost:3000',
    version,
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}

export interface GeneratedFile {
  /** The path relative to the root of the repository. */
  path: string;
  render(): string | Promise<string>;
}

/** All files in the repository that are generated from the code. */
export const generatedFiles: readonly GeneratedFile[] = [
  { path: 'docs/configuration.md', render: renderConfigurationDocs },
  { path: 'docs/cli.md', render: renderCommandReference },
  { path: 'docs/events.md', render: renderEventsMarkdown },
  { path: 'docs/events.schema.json', render: renderEventsJsonSchema },
  { path: 'packages/verify/src/generated/access-token-claims.ts', render: () => renderAccessTokenClaims() },
  { path: 'packages/verify/src/generated/events.ts', render: () => renderEventTypes() },
  {
    path: 'packages/verify/schemas/access-token-claims.schema.json',
    render: renderAccessTokenClaimsJsonSchema,
  },
  { path: 'packages/verify/schemas/events.schema.json', render: renderEventsJsonSchema },
  { path: 'docs/limits.md', render: renderLimitsMarkdown },
  { path: 'docs/client.schema.json', render: renderClientJsonSchema },
  { path: 'docs/clients.schema.json', render: renderClientsFileJsonSchema },
  { path: 'docs/openapi.json', render: renderOpenApi },
  {
    path: 'charts/gatehouse/files/crd-oidcclients.yaml',
    render: () => renderResourceDefinition(clientDocumentJsonSchema()),
  },
  { path: 'charts/gatehouse/files/operator-rules.yaml', render: () => renderAccessRules(watchedRules) },
  { path: 'charts/gatehouse/files/operator-own-rules.yaml', render: () => renderAccessRules(ownRules) },
  { path: 'charts/gatehouse/README.md', render: () => renderChartReadme() },
  { path: 'charts/gatehouse/values.schema.json', render: () => renderValuesSchema() },
];

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the paths of files that differ from the generated content. Writes these files unless `check` is set. */
export async function generate(
  files: readonly GeneratedFile[],
  root: string,
  check: boolean,
): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, render } of files) {
    const file = join(root, path);
    const text = await render();
    if (read(file) === text) continue;
    stale.push(path);
    if (check) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return stale;
}

async function main(args: string[]): Promise<void> {
  const check = args.includes('--check');
  const stale = await generate(generatedFiles, packageRoot, check);
  const verb = check ? 'stale, run npm run generate:' : 'written:';
  for (const path of stale) process.stdout.write(`${verb} ${path}\n`);
  if (check && stale.length > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
