import type { Deployment } from '../support/deployment.ts';
import { runProgram } from '../support/program.ts';
import type { Ended } from './command.ts';

/** What `gatehouse sessions` tells of a session in JSON. */
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

/** Runs a command beside a deployment, with its settings. An empty variable is as good as none. */
export async function runCommand(
  { env, folder: cwd }: Pick<Deployment, 'env' | 'folder'>,
  args: string[],
  changes: Record<string, string> = {},
): Promise<Ended> {
  const program = runProgram(args, { env: { ...env, ...changes }, cwd });
  return { code: await program.ended, stdout: program.stdout(), stderr: program.stderr() };
}

/** What a command printed that ended well; throws with what it wrote otherwise. */
export function documentOf<T>({ code, stdout, stderr }: Ended): T {
  if (code !== 0 || stderr !== '') throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

export interface ToldEvent {
  type: string;
  subject: string;
  data: Record<string, unknown>;
}

/** The events of a type that the processes published so far, of those that name `id` in their data. */
export function eventsOf({ programs }: Deployment, type: string, id: string): ToldEvent[] {
  const lines = programs.flatMap((program) => program.stdout().split('\n'));
  return lines
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line): ToldEvent => JSON.parse(line))
    .filter((event) => event.type === type && Object.values(event.data ?? {}).includes(id));
}
