/** Runs once after all tests. It can't share the setup's module, only the values that setup put on `globalThis`. */
// biome-ignore lint/style/noDefaultExport: jest takes the default export.
export default async function globalTeardown(): Promise<void> {
  const { stopTestServers } = globalThis as { stopTestServers?: () => Promise<void> };
  await stopTestServers?.();
}
