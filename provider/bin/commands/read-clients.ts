import {
  type ClientProblem,
  describeClientProblem,
  parseClientDocuments,
} from '../../clients/parse-client-documents.ts';
import type { WantedClient } from '../../clients/plan-clients.ts';
import { namedSecrets, usesSecret } from '../../clients/stored-secrets.ts';
import { openClientsFile, openClientsText } from '../../compose/adapters.ts';
import { knownClaims } from '../../config/token-budget.ts';
import {
  type ClientSource,
  ClientSourceUnreadable,
  type RawClientDocument,
} from '../../ports/client-source.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import { accessModelOf, knownApis, loadAccessSettings } from './access-settings.ts';

export interface ClientFiles {
  /** A file, a folder, or `-` for standard input. */
  file: string;
  /** The file with the APIs. Default: the setting. */
  apis?: string | undefined;
}

/** A problem as JSON. Each part has its own field, which is null if it isn't known. */
export interface ProblemDocument {
  file: string;
  line: number | null;
  client: string | null;
  /** JSON Pointer (RFC 6901) into the client's document. */
  path: string;
  message: string;
}

export interface CheckedClients {
  /** The documents as they were written. */
  documents: RawClientDocument[];
  problems: ProblemDocument[];
  /** The problems as text. */
  lines: string[];
}

function problemDocument({ origin, clientId, path, message }: ClientProblem): ProblemDocument {
  const [, file = origin, line] = /^(.*):(\d+)$/s.exec(origin) ?? [];
  return { file, line: line === undefined ? null : Number(line), client: clientId ?? null, path, message };
}

const mostBytes = 16 * 1024 * 1024;

async function sourceOf(file: string): Promise<ClientSource> {
  if (file !== '-') return openClientsFile(file);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += chunk.length;
    if (bytes > mostBytes)
      throw new CommandFailure('usage', 'What came by standard input is too long.', { code: 'too_long' });
    chunks.push(chunk);
  }
  return openClientsText('standard input', Buffer.concat(chunks).toString('utf8'));
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Gatehouse generates a secret for a client in the store that names none, so this is not a problem there. */
function withGeneratedSecret({ origin, value }: RawClientDocument): RawClientDocument {
  const isGiven = isMap(value) && 'secrets' in value && !Array.isArray(value.secrets);
  if (!isMap(value) || isGiven || !usesSecret(value) || namedSecrets(value) > 0) return { origin, value };
  return { origin, value: { ...value, secrets: [{ sha256: '0'.repeat(64) }] } };
}

/**
 * Reads client documents and checks them by the settings of the servers, without reading secrets.
 *
 * @param options.forStore whether clients in the store are meant, for which Gatehouse generates secrets
 */
export async function readClients(
  { file, apis }: ClientFiles,
  { forStore }: { forStore: boolean },
): Promise<CheckedClients> {
  const settings = loadAccessSettings({ apisFile: apis });
  const model = accessModelOf(settings);
  const restrictions = { deviceFlow: settings.deviceFlow, claims: knownClaims(model, settings.issuer) };
  const check = (raw: readonly RawClientDocument[]): ClientProblem[] => {
    const given = forStore ? raw.map(withGeneratedSecret) : raw;
    const parsed = parseClientDocuments(given, knownApis(model), restrictions);
    return parsed.ok ? [] : parsed.problems;
  };
  const source = await sourceOf(file);
  try {
    const documents = await source.load();
    const found = check(documents);
    return { documents, problems: found.map(problemDocument), lines: found.map(describeClientProblem) };
  } catch (error) {
    if (!(error instanceof ClientSourceUnreadable)) throw error;
    const lines = error.message.split('\n');
    const problems = lines.map((message) => ({ file, line: null, client: null, path: '', message }));
    const documents = [...error.readable];
    const found = check(documents);
    return {
      documents,
      problems: [...problems, ...found.map(problemDocument)],
      lines: [...lines, ...found.map(describeClientProblem)],
    };
  }
}

/** The failure that lists all problems. */
export function clientProblems(file: string, lines: readonly string[]): CommandFailure {
  const heading = `${file}: ${lines.length} ${lines.length === 1 ? 'problem' : 'problems'}`;
  return new CommandFailure('problems', heading, { code: 'validation_failed', problems: [...lines] });
}

/** Reads clients to be stored. Throws a CommandFailure that lists every problem. */
export async function readWantedClients(files: ClientFiles): Promise<WantedClient[]> {
  const { documents, lines } = await readClients(files, { forStore: true });
  if (lines.length > 0) throw clientProblems(files.file, lines);
  return documents.map(({ value }) => {
    // As JSON has it, because this is how documents are stored and compared.
    const document = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
    return { id: String(document.id), document };
  });
}
