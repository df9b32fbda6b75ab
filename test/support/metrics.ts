import type { Deployment } from './deployment.ts';

type Processes = Pick<Deployment, 'opsOrigins'>;

/** The metrics of each process, as text. */
export const metricsOf = ({ opsOrigins }: Processes): Promise<string[]> =>
  Promise.all(opsOrigins.map(async (origin) => (await fetch(`${origin}/metrics`)).text()));

/** The sum, over all processes, of a metric's samples that have all these labels. */
export async function metric(processes: Processes, name: string, ...labels: string[]): Promise<number> {
  return (await metricsOf(processes))
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Whether every process has published all events that are written. */
export const allPublished = async (processes: Processes): Promise<boolean> =>
  (await metricsOf(processes)).every((text) => /^gatehouse_outbox_pending 0$/m.test(text));
