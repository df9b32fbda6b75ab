import { type DeploymentOptions, startServers } from '../support/deployment.ts';

/** Where something may happen once only, it has to be so on either store, among processes that know nothing of each other. */
export const threeProcesses = [
  {
    name: 'Postgres alone, three processes',
    start: (options: DeploymentOptions) => startServers({ ...options, processes: 3, redis: false }),
  },
  {
    name: 'Postgres and Redis, three processes',
    start: (options: DeploymentOptions) => startServers({ ...options, processes: 3 }),
  },
];

/** All at once. */
export const atOnce = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));
