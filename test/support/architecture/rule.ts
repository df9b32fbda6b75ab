import type { Import, Source } from './sources.ts';

/** A rule for all of `provider/`. */
export interface Rule {
  name: string;
  /** The reason for the rule. A failing test shows it. */
  because: string;
  /** Returns one line for each breach: the file and what is wrong in it. */
  violations(files: Source[]): string[];
}

/** A rule that checks one import at a time. `breach` returns what is wrong, or nothing. */
export function importRule(
  name: string,
  because: string,
  breach: (file: Source, imported: Import) => string | undefined,
): Rule {
  const violations = (files: Source[]) =>
    files.flatMap((file) =>
      file.imports.flatMap((imported) => {
        const what = breach(file, imported);
        return what === undefined ? [] : [`${file.path}: ${what}`];
      }),
    );
  return { name, because, violations };
}

/** A rule that forbids a pattern in the code, without comments, of every file except the allowed ones. */
export function patternRule(
  name: string,
  because: string,
  pattern: RegExp,
  allowed: readonly string[] = [],
): Rule {
  const violations = (files: Source[]) =>
    files
      .filter(({ path }) => !isAllowed(path, allowed))
      .flatMap(({ path, code }) =>
        code
          .split('\n')
          .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
      );
  return { name, because, violations };
}

/** Whether a path is one of these files, or in one of these folders (which end in `/`). */
export const isAllowed = (path: string, allowed: readonly string[]): boolean =>
  allowed.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
