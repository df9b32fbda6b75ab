import { createOutput, type Output } from './output.ts';

export const jsonOption = ['--json', 'print JSON instead of text'] as const;

/** The output of a command that was called with these options. */
export function commandOutput({ json = false }: { json?: boolean }): Output {
  return createOutput({ json, out: process.stdout, errors: process.stderr });
}
