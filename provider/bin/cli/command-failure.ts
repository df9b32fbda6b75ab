import type { Ending } from './exit-codes.ts';

export interface FailureDetails {
  /** For scripts: `not_found`, `cannot_create`; never renamed. */
  code: string;
  /** What is wrong, one by one, where there may be several. */
  problems?: string[];
}

/** A command that can't do what it was asked to, in words for a person; the ending decides the exit code. */
export class CommandFailure extends Error {
  readonly ending: Ending;
  readonly code: string;
  readonly problems: string[] | undefined;

  constructor(ending: Ending, message: string, { code, problems }: FailureDetails) {
    super(message);
    this.name = 'CommandFailure';
    this.ending = ending;
    this.code = code;
    this.problems = problems;
  }
}
