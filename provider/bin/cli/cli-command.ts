import { Command, type HelpContext, InvalidArgumentError } from 'commander';

/** A command with examples, which its help and docs/cli.md show. */
export class CliCommand extends Command {
  readonly examples: string[] = [];

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name);
  }

  /** Adds a command line as a person would type it. */
  example(line: string): this {
    this.examples.push(line);
    return this;
  }

  override helpInformation(context?: HelpContext): string {
    const lines = this.examples.map((line) => `  ${line}\n`).join('');
    return `${super.helpInformation(context)}\n${this.examples.length > 1 ? 'Examples' : 'Example'}:\n${lines}`;
  }

  /** The subcommands that have their own help. */
  get children(): CliCommand[] {
    return this.commands.filter((command) => command instanceof CliCommand);
  }

  /** `gatehouse accounts list` */
  get path(): string {
    const above = this.parent instanceof CliCommand ? `${this.parent.path} ` : '';
    return `${above}${this.name()}`;
  }
}

/** A parser for an option or argument that is a whole number, both bounds allowed. */
export const wholeNumber = (least: number, most: number) => (text: string) => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
};
