import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** The reader closed standard output, so the command can stop. */
export class OutputClosed extends Error {}

/** Where a command writes to. */
export interface Output {
  /** Whether a program reads it. */
  readonly json: boolean;
  /** What was asked for: one JSON document, or the text. */
  result(document: unknown, text: string): void;
  /** One of several things that a command tells while it runs: a JSON line, or the text. */
  event(document: unknown, text: string): void;
  /** A line of a stream, the same for programs and persons. Waits while the reader is slow; throws OutputClosed. */
  line(text: string): Promise<void>;
  /** A remark for a person; not for programs. */
  note(text: string): void;
}

export interface OutputOptions {
  json: boolean;
  out: Writable;
  errors: Writable;
}

/** Replaces control characters except line breaks, so that foreign text can't control the terminal. */
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

/** The output of a command that was called with these options. */
export function commandOutput({ json = false }: { json?: boolean }): Output {
  return createOutput({ json, out: process.stdout, errors: process.stderr });
}
