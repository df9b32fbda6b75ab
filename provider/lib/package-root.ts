import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(start: string): string {
  if (existsSync(join(start, 'package.json'))) return start;
  const parent = dirname(start);
  if (parent === start) throw new Error('package.json not found above the program');
  return find(parent);
}

/** The folder that holds `package.json` and `views/`, the same when run from source and from `build/`. */
export const packageRoot: string = find(dirname(fileURLToPath(import.meta.url)));
