import {
  type ClientProblem,
  describeClientProblem,
  parseClientDocuments,
} from '../../clients/parse-client-documents.ts';
import { openClientsFile } from '../../compose/adapters.ts';
import { knownClaims } from '../../config/token-budget.ts';
import { ClientSourceUnreadable } from '../../ports/client-source.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { accessModelOf, knownApis, loadAccessSettings } from './access-settings.ts';

export interface ValidateOptions {
  file: string;
  apis?: string | undefined;
}

/** A problem as JSON. Each part has its own field, which is null if it isn't known. */
interface ProblemDocument {
  file: string;
  line: number | null;
  client: string | null;
  /** JSON Pointer (RFC 6901) into the client's document. */
  path: string;
  message: string;
}

interface Checked {
  count: number;
  problems: ProblemDocument[];
  lines: string[];
}

function documentOf({ origin, clientId, path, message }: ClientProblem): ProblemDocument {
  const [, file = origin, line] = /^(.*):(\d+)$/s.exec(origin) ?? [];
  return { file, line: line === undefined ? null : Number(line), client: clientId ?? null, path, message };
}

async function check({ file, apis }: ValidateOptions): Promise<Checked> {
  const settings = loadAccessSettings({ apisFile: apis });
  const model = accessModelOf(settings);
  const known = knownApis(model);
  const restrictions = { deviceFlow: settings.deviceFlow, claims: knownClaims(model, settings.issuer) };
  try {
    const raw = await openClientsFile(file).load();
    const parsed = parseClientDocuments(raw, known, restrictions);
    const found = parsed.ok ? [] : parsed.problems;
    return { count: raw.length, problems: found.map(documentOf), lines: found.map(describeClientProblem) };
  } catch (error) {
    if (!(error instanceof ClientSourceUnreadable)) throw error;
    const lines = error.message.split('\n');
    const problems = lines.map((message) => ({ file, line: null, client: null, path: '', message }));
    const parsed = parseClientDocuments(error.readable, known, restrictions);
    const found = parsed.ok ? [] : parsed.problems;
    return {
      count: error.readable.length,
      problems: [...problems, ...found.map(documentOf)],
      lines: [...lines, ...found.map(describeClientProblem)],
    };
  }
}

/** `gatehouse clients validate`. Throws a CommandFailure that lists every problem. */
export async function validateClients(options: ValidateOptions, output: Output): Promise<void> {
  const { count, problems, lines } = await check(options);
  const ok = problems.length === 0;
  if (ok || output.json) {
    output.result(
      { ok, clients: count, problems },
      `${options.file}: ${count} ${count === 1 ? 'client' : 'clients'}, nothing wrong.`,
    );
  }
  if (ok) return;
  const heading = `${options.file}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  throw new CommandFailure('problems', heading, { code: 'validation_failed', problems: lines });
}
