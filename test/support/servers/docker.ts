import { randomBytes } from 'node:crypto';
import { type KeptProcess, serverFolder, startKept } from './kept-process.ts';
import { stallContainer } from './stall.ts';

export interface Container {
  image: string;
  /** The value of `docker run --publish`. */
  publish: string;
  env?: string[];
  args: string[];
}

/** Runs a container that stops and is removed at the latest when this process ends. */
export function dockerServer({ image, publish, env = [], args }: Container): KeptProcess {
  const name = `gatehouse-test-${randomBytes(6).toString('hex')}`;
  const variables = env.flatMap((variable) => ['--env', variable]);
  const kept = startKept({
    program: 'docker',
    args: ['run', '--rm', '--name', name, '--publish', publish, ...variables, image, ...args],
    folder: serverFolder('docker', {}),
    owner: {},
    stopCommand: `docker stop -t 5 ${name} >/dev/null 2>&1 || kill $server`,
  });
  return { ...kept, stall: () => stallContainer(name) };
}
