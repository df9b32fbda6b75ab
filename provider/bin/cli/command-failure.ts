/**
 * The exit codes of all commands. The numbers above 63 are those of sysexits(3). Scripts depend on them, so they never
 * change.
 */
export const exitCodes = {
  ok: { code: 0, meaning: 'It is done.' },
  problems: { code: 1, meaning: 'Not found, nothing matched, or what was checked has problems.' },
  differs: { code: 2, meaning: 'Something would change (`clients diff`).' },
  usage: { code: 64, meaning: 'The command was called wrongly: an unknown command, option or value.' },
  unavailable: {
    code: 69,
    meaning: "A store can't be reached or has too much to do. Trying again may help.",
  },
  software: { code: 70, meaning: 'A mistake in Gatehouse. Please report it.' },
  cannotCreate: {
    code: 73,
    meaning: "What should be made is there already, or its file can't be written.",
  },
  configuration: { code: 78, meaning: 'Settings, or files they name, are wrong or missing.' },
  interrupted: { code: 130, meaning: 'Ctrl-C at the password prompt.' },
} as const;

export type Ending = keyof typeof exitCodes;

export interface FailureDetails {
  /** A code for scripts, for example `not_found` or `cannot_create`. Codes are never renamed. */
  code: string;
  /** The list of problems, where there may be several. */
  problems?: string[];
}

/** Thrown when a command can't do its task. The message is for a person. `ending` determines the exit code. */
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
