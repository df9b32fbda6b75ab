import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverFolder, serverOwner, startKept } from './kept-process.ts';
import { canInstallPackages, findProgram, installPackages } from './programs.ts';
import { startServer, type TestServer } from './server.ts';

/** Debian's folder for nginx isn't on every user's PATH. */
const find = () => findProgram(['nginx'], ['/usr/sbin', '/usr/local/sbin']);

async function program(): Promise<string> {
  const found = find();
  if (found !== undefined) return found;
  if (canInstallPackages()) await installPackages(['nginx-light']);
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error('The test found no nginx: install nginx-light (Debian) or nginx (others).');
}

const main = (folder: string, configuration: string, asRoot: boolean) => `
${asRoot ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
    access_log off;
    client_body_temp_path ${folder}/body;
    proxy_temp_path ${folder}/proxy;
    fastcgi_temp_path ${folder}/fastcgi;
    uwsgi_temp_path ${folder}/uwsgi;
    scgi_temp_path ${folder}/scgi;
${configuration}
}
`;

/**
 * Starts nginx on 127.0.0.1.
 * @param configuration returns the content of the http block for the given listening port
 * @param asRoot whether it may also listen on ports below 1024
 */
export async function startNginx(
  configuration: (port: number) => string,
  asRoot = false,
): Promise<TestServer> {
  const nginx = await program();
  return startServer({
    name: 'nginx',
    start: (port) => {
      const owner = asRoot ? {} : serverOwner();
      const folder = serverFolder('nginx', owner);
      const file = join(folder, 'nginx.conf');
      writeFileSync(file, main(folder, configuration(port), asRoot));
      return startKept({ program: nginx, args: ['-p', folder, '-c', file, '-e', 'stderr'], folder, owner });
    },
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => {
      await (await fetch(url)).arrayBuffer();
    },
    stall: () => Promise.reject(new Error('nginx keeps its workers to itself')),
  });
}
