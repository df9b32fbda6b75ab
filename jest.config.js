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
  // These need Helm: `make check-chart` finds it and runs them.
  testPathIgnorePatterns: process.env.HELM
    ? ['/node_modules/']
    : ['/node_modules/', '<rootDir>/test/chart/rendered/'],
  modulePathIgnorePatterns: ['<rootDir>/build', '<rootDir>/artifacts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/support/no-skipped-tests.js'],
  testTimeout: 30_000,
  maxWorkers: 2,
};

// biome-ignore lint/style/noDefaultExport: jest reads its configuration from the default export.
export default config;
