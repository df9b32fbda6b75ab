import type { Deployment } from '../support/deployment.ts';
import { runProgram } from '../support/program.ts';
import { type PublishedEvent, publishedEvents } from '../support/published-events.ts';
import type { Ended } from './command.ts';

/** A session in the JSON output of `gatehouse sessions`. */
export interface SessionDocument {
  id: string;
  kind: string;
  clientId: string | null;
  sessionId: string | null;
  startedAt: string;
  lastUsedAt: string;
  expiresAt: string;
  ip: string | null;
  userAgent: string | null;
}

/** Runs a command with the settings of a deployment. An empty variable counts as unset. */
export async function runCommand(
  { env, folder: cwd }: Pick<Deployment, 'env' | 'folder'>,
  args: string[],
  changes: Record<string, string> = {},
): Promise<Ended> {
  const program = runProgram(args, { env: { ...env, ...changes }, cwd });
  return { code: await program.ended, stdout: program.stdout(), stderr: program.stderr() };
}

/** The JSON output of a successful command. Throws with its error output otherwise. */
export function documentOf<T>({ code, stdout, stderr }: Ended): T {
  if (code !== 0 || stderr !== '') throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** The events of a type that the processes have published and whose data contains `id`. */
export const eventsOf = (deployment: Deployment, type: string, id: string): PublishedEvent[] =>
  publishedEvents(deployment).filter(
    (event) => event.type === type && Object.values(event.data).includes(id),
  );
