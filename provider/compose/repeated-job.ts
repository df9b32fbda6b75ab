import type { Component } from '../lib/lifecycle.ts';

/** Creates a job that repeats; `work` must not throw. */
export function every(name: string, seconds: number, work: () => Promise<void>): Component {
  let timer: NodeJS.Timeout | undefined;
  return {
    name,
    start: () => {
      timer = setInterval(() => void work(), seconds * 1000);
    },
    stop: () => clearInterval(timer),
  };
}

/** How soon a process notices new server secrets, after what the place of the secrets may take. */
export const serverSecretsPollSeconds = 10;
