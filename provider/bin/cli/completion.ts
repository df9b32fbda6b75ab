import type { CliCommand } from './cli-command.ts';

export const shells = ['bash', 'zsh'] as const;

export type Shell = (typeof shells)[number];

interface Word {
  text: string;
  description: string;
}

interface Place {
  /** The path of the command: empty, `/accounts`, `/accounts/list`. */
  path: string;
  words: Word[];
}

function wordsOf(command: CliCommand): Word[] {
  const commands = command.children.map((child) => ({
    text: child.name(),
    description: child.description(),
  }));
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const options = command.createHelp().visibleOptions(command);
  return [
    ...commands,
    ...values.map((text) => ({ text, description: '' })),
    ...options.map(({ long, short, description }) => ({ text: long ?? short ?? '', description })),
  ];
}

function places(command: CliCommand, path = ''): Place[] {
  const below = command.children.flatMap((child) => places(child, `${path}/${child.name()}`));
  return [{ path, words: wordsOf(command) }, ...below];
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function bash(all: Place[]): string {
  const known = all.filter(({ path }) => path !== '').map(({ path }) => path);
  const cases = all.map(
    ({ path, words }) => `    ${quoted(path)}) words=${quoted(words.map(({ text }) => text).join(' '))} ;;`,
  );
  return `# Completion of gatehouse for bash:  source <(gatehouse completion bash)
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place/\${COMP_WORDS[i]}" in
      ${known.join('|')}) place="$place/\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _gatehouse gatehouse
`;
}

function zsh(all: Place[]): string {
  const known = all.filter(({ path }) => path !== '').map(({ path }) => path);
  const choice = ({ text, description }: Word) =>
    quoted(description === '' ? text : `${text}:${description.replaceAll(':', '\\:')}`);
  const cases = all.map(
    ({ path, words }) => `    (${quoted(path)}) choices=(${words.map(choice).join(' ')}) ;;`,
  );
  return `#compdef gatehouse
# Completion of gatehouse for zsh:  source <(gatehouse completion zsh), after compinit
_gatehouse() {
  local place=''
  local -a choices
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    case "$place/$words[i]" in
      (${known.join('|')}) place="$place/$words[i]" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  _describe gatehouse choices || _files
}
if [[ "$funcstack[1]" == _gatehouse ]]; then _gatehouse "$@"; else compdef _gatehouse gatehouse; fi
`;
}

/**
 * Returns a script with which the shell completes this program's commands and options. After them, it completes file
 * names.
 */
export function completionScript(shell: Shell, program: CliCommand): string {
  return { bash, zsh }[shell](places(program));
}
