import type { Output } from '../cli/output.ts';
import { type ClientFiles, clientProblems, readClients } from './read-clients.ts';

export interface ValidateOptions extends ClientFiles {
  /** Checks as `clients apply` does, which generates secrets. */
  forApply: boolean;
}

/** `gatehouse clients validate`. Throws a CommandFailure that lists every problem. */
export async function validateClients(options: ValidateOptions, output: Output): Promise<void> {
  const { file, forApply } = options;
  const { documents, problems, lines } = await readClients(options, { forStore: forApply });
  const count = documents.length;
  const ok = problems.length === 0;
  if (ok || output.json) {
    output.result(
      { ok, clients: count, problems },
      `${file === '-' ? 'standard input' : file}: ${count} ${count === 1 ? 'client' : 'clients'}, nothing wrong.`,
    );
  }
  if (!ok) throw clientProblems(file, lines);
}
