import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Thrown when the reader closed standard output, so that the command can stop. */
export class OutputClosed extends Error {}

/** Creates the output of a command that was called with these options. */
export interface Output {
  /** Whether the output is for a program. */
  readonly json: boolean;
  /** Writes the result: one JSON document, or the text. */
  result(document: unknown, text: string): void;
  /** Writes one of several events while a command runs: a JSON line, or the text. */
  event(document: unknown, text: string): void;
  /**
   * Writes a line of a stream, the same for programs and people. Waits while the reader is slow; throws OutputClosed.
   */
  line(text: string): Promise<void>;
  /** Writes a note for people. Programs don't get it. */
  note(text: string): void;
}

export interface OutputOptions {
  json: boolean;
  out: Writable;
  errors: Writable;
}

/** Replaces control characters except line breaks, so that text from other sources can't control the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\uFFFD');
}

export function createOutput({ json, out, errors }: OutputOptions): Output {
  const asLines = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  return {
    json,
    result: (document, text) => {
      out.write(json ? `${JSON.stringify(document, null, 2)}\n` : printable(asLines(text)));
    },
    event: (document, text) => {
      out.write(json ? `${JSON.stringify(document)}\n` : printable(asLines(text)));
    },
    line: async (text) => {
      if (!out.writable) throw new OutputClosed();
      if (out.write(`${text}\n`)) return;
      await once(out, 'drain').catch(() => {
        throw new OutputClosed();
      });
    },
    note: (text) => {
      if (!json) errors.write(printable(asLines(text)));
    },
  };
}

/** The option that every command with a result has. */
export const jsonOption = ['--json', 'print JSON instead of text'] as const;

/** Creates the output of a command that was called with these options. */
export function commandOutput({ json = false }: { json?: boolean }): Output {
  return createOutput({ json, out: process.stdout, errors: process.stderr });
}
