import { Command, type HelpContext } from 'commander';

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
