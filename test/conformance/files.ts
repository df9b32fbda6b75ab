import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = 'test/conformance';

/** One step in the browser of the suite: `["click", "css", "button"]`. */
const command = z
  .tuple([z.enum(['text', 'click', 'wait']), z.string(), z.string()])
  .rest(z.union([z.string(), z.number()]));

const page = z.strictObject({
  match: z.string(),
  tasks: z.array(
    z.strictObject({
      task: z.string(),
      optional: z.boolean().optional(),
      match: z.string(),
      commands: z.array(command).optional(),
    }),
  ),
});

const client = z.strictObject({
  client_id: z.string(),
  client_secret: z.string(),
  client_name: z.string().optional(),
});

const plansSchema = z.strictObject({
  config: z.strictObject({
    alias: z.string(),
    description: z.string(),
    server: z.strictObject({ discoveryUrl: z.url(), login_hint: z.email() }),
    client,
    client2: client,
    client_secret_post: client,
    browser: z.array(page),
    override: z.record(z.string(), z.strictObject({ browser: z.array(page) })),
  }),
  plans: z.array(
    z.strictObject({ name: z.string(), plan: z.string(), variant: z.record(z.string(), z.string()) }),
  ),
});

const expectedSchema = z.strictObject({
  expected: z.array(
    z.strictObject({
      module: z.string(),
      result: z.enum(['WARNING', 'REVIEW', 'SKIPPED', 'FAILED']),
      conditions: z.array(z.string()).optional(),
      plans: z.array(z.string()).optional(),
      reason: z.string().min(20),
    }),
  ),
});

/** The configuration of the suite, and the plans that run. */
export type Plans = z.output<typeof plansSchema>;
export type BrowserPage = z.output<typeof page>;

/** A result that is not PASSED, and why it is right. `plans` names the plans where it is so; all if left out. */
export type Expected = z.output<typeof expectedSchema>['expected'][number];

/** Everything that decides what the suite does and what Gatehouse it meets. */
export interface ConformanceFiles {
  plans: Plans;
  expected: Expected[];
  /** The settings of Gatehouse. */
  settings: Record<string, string>;
  clientsFile: string;
}

/** Reads and checks the files of this folder. Throws an error that names the field. */
export async function readConformanceFiles(): Promise<ConformanceFiles> {
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const yaml = async (name: string) => parse(await read(name), { merge: true });
  return {
    plans: plansSchema.parse(await yaml('plans.yaml')),
    expected: expectedSchema.parse(await yaml('expected.yaml')).expected,
    settings: parseEnv(await read('settings.env')) as Record<string, string>,
    clientsFile: join(folder, 'clients.yaml'),
  };
}
