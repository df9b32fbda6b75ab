import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../../provider/lib/package-root.ts';

/** An API server of Kubernetes. */
export interface TestKubernetes {
  /** The path of a kubeconfig with all rights. */
  kubeconfig: string;
  stop(): Promise<void>;
}

const script = join(packageRoot, 'test', 'support', 'servers', 'kubernetes.sh');

/** The exit code of a command that finds no API server to start (EX_UNAVAILABLE). */
const nothingToStart = 69;

/**
 * Gives an API server: the one of KUBECONFIG, or the one that the command in GATEHOUSE_TEST_KUBERNETES starts, or the
 * one that `kubernetes.sh` finds. The command prints the path of a kubeconfig and stops the server when its standard
 * input is closed, so also when the test run is killed. Gives undefined when there is none. Only the tests that call
 * this function start it.
 */
export async function startKubernetes(): Promise<TestKubernetes | undefined> {
  const { KUBECONFIG, GATEHOUSE_TEST_KUBERNETES: command = script } = process.env;
  if (KUBECONFIG) return { kubeconfig: KUBECONFIG, stop: async () => {} };
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-4096);
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), ended]);
  if (typeof first[0] !== 'string') {
    if (first[0] === nothingToStart) return undefined;
    throw new Error(`${command} did not start an API server (${first[0]}): ${said}`);
  }
  return {
    kubeconfig: first[0],
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
