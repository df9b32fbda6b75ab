import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { runInstaller } from './install.ts';
import type { ConnectWorld } from './world.ts';

const html =
  '<!doctype html><meta charset="utf-8"><title>app</title><script src="/app.js"></script><p>the app</p>';

/**
 * Bundles a module for the browser with the app's own esbuild, as build tools for single-page apps do. The page in
 * `public/` shows its exports as `app`, so that a test can call them.
 *
 * @param entry the module's file in the folder of the app
 */
export async function bundleForBrowser({ folder }: ConnectWorld, entry: string): Promise<void> {
  await mkdir(join(folder, 'public'), { recursive: true });
  const output = join(folder, 'public', 'app.js');
  const options = ['--bundle', '--format=iife', '--global-name=app', '--log-level=error'];
  const esbuild = join(folder, 'node_modules', '.bin', 'esbuild');
  await runInstaller(esbuild, [entry, ...options, `--outfile=${output}`], { cwd: folder });
  await writeFile(join(folder, 'public', 'index.html'), html);
}

/** Serves the app at its origin until the world stops. Every path gives the page, as servers of single-page apps do. */
export async function serveToBrowser({ folder, appPort, onStop }: ConnectWorld): Promise<void> {
  const script = await readFile(join(folder, 'public', 'app.js'));
  const server = createServer(({ url }, response) => {
    const [type, body] = url === '/app.js' ? ['text/javascript', script] : ['text/html', html];
    response.setHeader('Content-Type', type).end(body);
  });
  await new Promise<void>((resolve) => server.listen(appPort, '127.0.0.1', resolve));
  onStop(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
