/**
 * Fails a run in which a test was skipped or is only planned: nobody reads a number of skipped tests.
 * At the end, it names the tests that this machine can't run (see `kubernetes.ts`).
 * Not in TypeScript: jest loads reporters as they are.
 */
// biome-ignore lint/style/noDefaultExport: jest takes the default export.
export default class NoSkippedTests {
  #named;
  #skipped = [];
  #leftOut = [];

  /** @param {{ testNamePattern?: string }} globalConfig as jest gives it */
  constructor(globalConfig) {
    this.#named = Boolean(globalConfig.testNamePattern);
  }

  /** @param {unknown} _test @param {{ testResults: { status: string, fullName: string }[] }} result of one file */
  onTestResult(_test, result) {
    const left = result.testResults.filter(({ status }) => status !== 'passed' && status !== 'failed');
    this.#skipped.push(...left.map(({ fullName }) => fullName));
    const titles = result.testResults.map(({ fullName }) => fullName);
    this.#leftOut.push(...titles.filter((title) => title.startsWith('left out: ')));
  }

  /** Jest counts a reporter's error, but doesn't print it. */
  onRunComplete() {
    if (this.#leftOut.length > 0)
      process.stderr.write(
        `\nTHE RUN LEFT OUT TESTS:\n${this.#leftOut.map((title) => `  ${title}\n`).join('')}`,
      );
    const error = this.getLastError();
    if (error !== undefined) process.stderr.write(`\n${error.message}\n`);
  }

  /** Who asks for tests by name (`-t`) means to leave out the others. */
  getLastError() {
    if (this.#named || this.#skipped.length === 0) return undefined;
    return new Error(`Skipped tests fail the run:\n${this.#skipped.map((name) => `  ${name}`).join('\n')}`);
  }
}
