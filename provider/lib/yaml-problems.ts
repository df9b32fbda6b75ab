/**
 * What a person does about an error of the YAML parser, by the parser's code. The parser's own messages are for programmers,
 * and some repeat a part of the file, which may be a secret that was written without quotes.
 */
const problems: ReadonlyMap<string, string> = new Map([
  ['BAD_DIRECTIVE', 'a line must not begin with %: indent it, or put the text in quotes'],
  ['BAD_DQ_ESCAPE', 'the escape after \\ is not known: write the text in single quotes'],
  ['BAD_INDENT', 'the indentation does not fit, or a bracket is not closed'],
  ['BAD_SCALAR_START', 'text must not begin with @, `, % or another special character: put it in quotes'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    'a value holds ": ", or its indentation does not fit: put it in quotes, or align it',
  ],
  ['DUPLICATE_KEY', 'the same key is there twice in one map, and keys must be unique: remove one'],
  ['MISSING_CHAR', 'a quote, bracket, comma, colon or dash is missing'],
  ['MULTILINE_IMPLICIT_KEY', 'a key must be on one line: check for a missing quote or colon'],
  [
    'MULTIPLE_DOCS',
    'a second document begins: keep one document in the file, and remove the line that is only "---"',
  ],
  ['TAB_AS_INDENT', 'the line is indented with a tab: use blanks'],
  ['TAG_RESOLVE_FAILED', 'a tag (!) is not known: put text that begins with ! in quotes'],
  ['UNEXPECTED_TOKEN', 'there is text that does not belong here: check quotes, brackets and indentation'],
]);

/** @param code the parser's code of a syntax error or warning */
export function yamlSyntaxProblem(code: string): string {
  return `not valid YAML: ${problems.get(code) ?? 'check indentation, quotes and brackets here'}`;
}

/** @param error what the parser threw when it resolved aliases and merge keys */
export function yamlReferenceProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  if (/^Merge sources/.test(text))
    return 'not valid YAML: the value of a merge key (<<) must be a map, or an alias of one';
  if (/^Excessive alias/.test(text))
    return 'not valid YAML: aliases (*) make it too large: write the values out';
  return 'not valid YAML: an alias (*) names no anchor (&) before it: put text that begins with * in quotes';
}
