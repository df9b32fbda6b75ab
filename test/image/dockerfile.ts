import { readFileSync } from 'node:fs';

export interface Instruction {
  /** In capitals, such as `COPY`. */
  name: string;
  /** The rest of the instruction on one line. */
  text: string;
}

export interface Stage {
  base: string;
  name: string;
  instructions: Instruction[];
}

export interface Dockerfile {
  /** The `ARG` instructions in front of the first stage, by name. */
  args: Record<string, string>;
  stages: Stage[];
}

/** Reads the instructions of a Dockerfile. It knows what ours uses: comments, continued lines, and stages with names. */
export function readDockerfile(path: string): Dockerfile {
  const lines = readFileSync(path, 'utf8').split('\n');
  const joined = lines
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '');
  const instructions = joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({
      name: line.slice(0, line.indexOf(' ')),
      text: line.slice(line.indexOf(' ') + 1).trim(),
    }));
  const args: Record<string, string> = {};
  const stages: Stage[] = [];
  for (const { name, text } of instructions) {
    const stage = stages.at(-1);
    if (name === 'FROM') {
      const [base = '', , as = ''] = text.split(' ');
      stages.push({ base, name: as, instructions: [] });
    } else if (stage) stage.instructions.push({ name, text });
    else args[text.slice(0, text.indexOf('='))] = text.slice(text.indexOf('=') + 1);
  }
  return { args, stages };
}
