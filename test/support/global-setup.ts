import { buildProgram } from './built-program.ts';
import { ensureChromium } from './find-chromium.ts';
import { provideServers } from './servers/provide.ts';

/**
 * Runs once before all tests. `GATEHOUSE_TEST_SERVERS=none` starts nothing, for a test that needs no server.
 * An interrupted run needs no teardown: its servers stop with it (see `servers/kept-process.ts`).
 */
// biome-ignore lint/style/noDefaultExport: jest takes the default export.
export default async function globalSetup(): Promise<void> {
  if (process.env.GATEHOUSE_TEST_SERVERS === 'none') return;
  await ensureChromium();
  const stopServers = await provideServers();
  const removeProgram = await buildProgram().catch(async (error) => {
    await stopServers();
    throw error;
  });
  const stop = async () => {
    await Promise.all([stopServers(), removeProgram()]);
  };
  Object.assign(globalThis, { stopTestServers: stop });
}
