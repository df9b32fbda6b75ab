import type { Deployment } from './deployment.ts';

/** The same deployment. It calls `watch` with each answer, before the test gets the answer. */
export function watched(
  deployment: Deployment,
  watch: (answer: Response, url: string) => void | Promise<void>,
): Deployment {
  const fetch: Deployment['fetch'] = async (url, init) => {
    const answer = await deployment.fetch(url, init);
    await watch(answer, String(url));
    return answer;
  };
  return { ...deployment, fetch };
}

/** The same deployment. Each request to it has additional headers. */
export function withHeaders(deployment: Deployment, headers: () => Record<string, string>): Deployment {
  const fetch: Deployment['fetch'] = (url, init) =>
    deployment.fetch(url, { ...init, headers: { ...init?.headers, ...headers() } });
  return { ...deployment, fetch };
}
