/** Runs once after all tests. The setup's module isn't shared, only what it left on `globalThis`. */
// biome-ignore lint/style/noDefaultExport: jest takes the default export.
export default async function globalTeardown(): Promise<void> {
  const { stopTestServers } = globalThis as { stopTestServers?: () => Promise<void> };
  await stopTestServers?.();
}
