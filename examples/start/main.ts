import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { showCalls, tryIt } from './show-calls.ts';
import { type Stops, startExamples } from './start-examples.ts';

/** Starts everything, makes the calls, and stays until Ctrl-C. With `--once`, it ends after the calls. */
const isOnce = process.argv.includes('--once');
const write = (text: string) => void process.stdout.write(text);

// The settings of a Gatehouse or an AWS account of one's own must not reach the examples.
for (const name of Object.keys(process.env)) if (/^(GATEHOUSE|AWS)_/.test(name)) delete process.env[name];
// The AWS SDK would print a warning about Node 20 between the calls.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
// The emulator is installed once, in the folder `artifacts` of the repository.
process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopping.abort());
const stopped = once(stopping.signal, 'abort');

/** Gives the exit code. */
async function run(stops: Stops): Promise<number> {
  write('Starting Postgres, ministack, Gatehouse, the services and the gateways.\n');
  const examples = await startExamples(stops);
  const wrong = await showCalls(examples, write);
  if (wrong.length > 0) return 1;
  if (isOnce) return 0;
  write(tryIt(examples));
  isReady = true;
  // Nothing else keeps this process alive: the servers must end with it, and not the other way round.
  const alive = setInterval(() => {}, 60_000);
  await stopped;
  clearInterval(alive);
  return 0;
}

let isReady = false;
const stops: Stops = [];
const interrupted = stopped.then(() => (isReady ? 0 : 130));
const code = await Promise.race([run(stops), interrupted]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  return 1;
});
for (const stop of stops.reverse()) await stop();
// A start that was interrupted may still have something open. What it started ends with this process.
process.exit(code);
