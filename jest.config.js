const connect = process.env.GATEHOUSE_CONNECT === 'true';

/** @type {import('jest').Config} */
const config = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
      },
    ],
  },
  testPathIgnorePatterns: [
    '/node_modules/',
    // These need Helm: `make check-chart` finds it and runs them.
    ...(process.env.HELM ? [] : ['<rootDir>/test/chart/rendered/']),
    // These install other people's clients: `make connect-test` runs them.
    ...(connect ? [] : ['<rootDir>/test/connect/']),
  ],
  modulePathIgnorePatterns: ['<rootDir>/build', '<rootDir>/artifacts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/support/no-skipped-tests.js'],
  testTimeout: connect ? 240_000 : 30_000,
  maxWorkers: 2,
};

// biome-ignore lint/style/noDefaultExport: jest reads its configuration from the default export.
export default config;
