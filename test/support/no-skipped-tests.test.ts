import { expect, test } from '@jest/globals';

interface Reporter {
  onTestResult(file: unknown, result: { testResults: { status: string; fullName: string }[] }): void;
  getLastError(): Error | undefined;
}

// The path is in a variable because the reporter is JavaScript without types.
const path = './no-skipped-tests.js';
const { default: NoSkippedTests } = (await import(path)) as {
  default: new (globalConfig: { testNamePattern?: string }) => Reporter;
};

function verdict(status: string, globalConfig = {}): Error | undefined {
  const reporter = new NoSkippedTests(globalConfig);
  reporter.onTestResult({}, { testResults: [{ status, fullName: 'adds up' }] });
  return reporter.getLastError();
}

test.each(['pending', 'todo', 'skipped', 'disabled'])('a test that is %s fails the run by name', (status) => {
  expect(verdict(status)?.message).toContain('adds up');
});

test('passed and failed tests are ignored', () => {
  expect([verdict('passed'), verdict('failed')]).toEqual([undefined, undefined]);
});

test('tests that a name pattern leaves out are ignored', () => {
  expect(verdict('pending', { testNamePattern: 'other' })).toBeUndefined();
});
