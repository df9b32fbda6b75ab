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

test('tests that ran, well or not, are none of its business', () => {
  expect([verdict('passed'), verdict('failed')]).toEqual([undefined, undefined]);
});

test('tests left out by a name pattern were left out on purpose', () => {
  expect(verdict('pending', { testNamePattern: 'other' })).toBeUndefined();
});
