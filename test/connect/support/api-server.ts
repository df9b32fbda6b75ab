import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { waitFor } from '../../support/wait-for.ts';
import { runInstaller } from './install.ts';
import { commandOutput } from './native.ts';
import type { ConnectWorld } from './world.ts';

/**
 * Starts etcd and a Kubernetes API server with this file as its `--authentication-config`. Writes a kubeconfig with
 * its address and an administrator as the current user to `kubeconfig` in the world's folder.
 *
 * @returns the folder with `kubectl` of the same version
 */
export async function startApiServer(world: ConnectWorld, authenticationConfig: string): Promise<string> {
  const programs = await kubernetesPrograms();
  const { folder, caFile, start } = world;
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const [etcd, peer] = [`http://127.0.0.1:${etcdPort}`, `http://127.0.0.1:${peerPort}`];
  await start({
    program: join(programs, 'etcd'),
    args: [
      ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync'],
      ...['--listen-client-urls', etcd, '--advertise-client-urls', etcd],
      ...[
        '--listen-peer-urls',
        peer,
        '--initial-advertise-peer-urls',
        peer,
        '--initial-cluster',
        `default=${peer}`,
      ],
    ],
    ready: `${etcd}/health`,
  });
  await commandOutput('openssl', ['genrsa', '-out', 'service-accounts.key', '2048'], folder);
  await world.write('tokens.csv', 'admin-token,admin,admin,"system:masters"\n');
  const server = await start({
    program: join(programs, 'kube-apiserver'),
    args: [
      ...['--etcd-servers', etcd, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
      ...[
        '--advertise-address',
        '127.0.0.1',
        '--endpoint-reconciler-type',
        'none',
        '--cert-dir',
        'certificates',
      ],
      ...['--service-account-key-file', 'service-accounts.key'],
      ...['--service-account-signing-key-file', 'service-accounts.key'],
      ...[
        '--service-account-issuer',
        'https://kubernetes.default.svc',
        '--service-cluster-ip-range',
        '10.96.0.0/16',
      ],
      ...['--authorization-mode', 'RBAC', '--token-auth-file', 'tokens.csv'],
      ...['--authentication-config', authenticationConfig],
    ],
    env: { SSL_CERT_FILE: caFile },
    ready: `${etcd}/health`,
  });
  const kubeconfig = join(folder, 'kubeconfig');
  const asAdmin = (...args: string[]) =>
    commandOutput(join(programs, 'kubectl'), args, folder, { KUBECONFIG: kubeconfig });
  const cluster = [
    `--server=https://127.0.0.1:${port}`,
    '--certificate-authority=certificates/apiserver.crt',
  ];
  await waitFor(() => existsSync(join(folder, 'certificates', 'apiserver.crt')), { timeoutMs: 60_000 });
  await asAdmin('config', 'set-cluster', 'test', ...cluster);
  await asAdmin('config', 'set-credentials', 'admin', '--token=admin-token');
  await asAdmin('config', 'set-context', 'test', '--cluster=test', '--user=admin');
  await asAdmin('config', 'use-context', 'test');
  await waitFor(() => asAdmin('get', '--raw', '/readyz'), { timeoutMs: 120_000, intervalMs: 500 }).catch(
    (error) => {
      throw new Error(`The API server is not ready. It wrote:\n${server.output()}`, { cause: error });
    },
  );
  return programs;
}

/** The folder with etcd, kube-apiserver and kubectl. `KUBEBUILDER_ASSETS` names it, as for tests of controllers. */
async function kubernetesPrograms(): Promise<string> {
  const kept = join(process.env.KUBE_HOME ?? join(homedir(), '.cache', 'kube-node'), 'bin');
  const places = [process.env.KUBEBUILDER_ASSETS ?? '', kept];
  const starter = process.env.KUBERNETES_ENVTEST ?? join('..', 'shared', 'cluster', 'envtest.sh');
  const found = () => places.find((place) => place !== '' && existsSync(join(place, 'kube-apiserver')));
  if (found() === undefined && existsSync(starter))
    await runInstaller('bash', [starter, 'down'], { cwd: '.' });
  const folder = found();
  if (folder !== undefined) return folder;
  throw new Error(
    'This test needs etcd, kube-apiserver and kubectl: install them with setup-envtest, and set KUBEBUILDER_ASSETS to their folder.',
  );
}
