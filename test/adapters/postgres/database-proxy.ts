import { connect, createServer, type Socket } from 'node:net';

export interface DatabaseProxy {
  /** The URL of the database through the proxy. */
  url: string;
  /** Forwards nothing any more and closes no connection, as if the machine had disappeared. */
  silence(): void;
  /** Requires the given password for new connections. The server of the tests requires none. */
  demand(password: string): void;
  /** Closes all connections. */
  hangUp(): void;
  connections(): number;
  close(): Promise<void>;
}

const authenticationCleartextPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

function wrongPassword(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0');
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Starts a proxy in front of a database, for faults that can't be caused on the server. */
export async function openDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let silent = false;
  let password: string | undefined;
  let connections = 0;

  const forward = (client: Socket, startup: Buffer) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    sockets.add(upstream);
    const relay = (from: Socket, to: Socket) => {
      from.on('data', (data) => silent || to.write(data));
      from.on('close', () => silent || to.destroy());
      from.on('error', () => to.destroy());
    };
    relay(client, upstream);
    relay(upstream, client);
    upstream.write(startup);
  };
  const server = createServer((client) => {
    connections += 1;
    sockets.add(client);
    client.on('error', () => {});
    client.once('data', (startup) => {
      if (password === undefined) return forward(client, Buffer.from(startup));
      client.write(authenticationCleartextPassword);
      client.once('data', (message) => {
        if (message.subarray(5, -1).toString() === password) forward(client, Buffer.from(startup));
        else client.end(wrongPassword());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: url.href,
    silence: () => {
      silent = true;
    },
    demand: (wanted) => {
      password = wanted;
    },
    hangUp,
    connections: () => connections,
    close: async () => {
      hangUp();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
