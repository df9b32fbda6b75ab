import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { type TestCertificate, testCertificate } from '../certificate.ts';
import { checkIamToken } from '../iam-token.ts';

/**
 * A server that accepts IAM tokens over TLS, as RDS and ElastiCache do, in front of a server of the tests that needs no
 * password.
 */
export interface IamFront {
  /** On `localhost`, for which its certificate is. */
  port: number;
  certificate: TestCertificate;
  /** The tokens that were accepted, in order. */
  accepted: string[];
  /** Why a token was refused. */
  refused: string[];
  /** Refuses every token from now on, as after a change of the policy. Calling it with `false` ends this. */
  refuseAll(isOn?: boolean): void;
  /** Ends all connections. */
  cut(): void;
  stop(): Promise<void>;
}

type Check = (user: string, token: string) => boolean;
type Serve = (socket: Socket, check: Check, keep: (socket: Socket) => void) => void;

async function startFront(
  listen: (serve: (socket: Socket) => void, certificate: TestCertificate) => Server,
  serve: Serve,
  read: (token: string) => { user: string | undefined },
): Promise<IamFront> {
  const certificate = testCertificate();
  const sockets = new Set<Socket>();
  const [accepted, refused]: [string[], string[]] = [[], []];
  let refusesAll = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const check: Check = (user, token) => {
    try {
      if (refusesAll) throw new Error('the policy allows nothing');
      const { user: named } = read(token);
      if (named !== user) throw new Error(`the token is for ${named} and not for ${user}`);
      accepted.push(token);
      return true;
    } catch (error) {
      refused.push((error as Error).message);
      return false;
    }
  };
  const server = listen((socket) => {
    keep(socket);
    serve(socket, check, keep);
  }, certificate);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    certificate,
    accepted,
    refused,
    refuseAll: (isOn = true) => {
      refusesAll = isOn;
    },
    cut,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

function passOn(near: Socket, target: URL, keep: (socket: Socket) => void, first: Buffer): void {
  const far = connect(Number(target.port), target.hostname);
  keep(far);
  far.write(first);
  near.pipe(far).pipe(near);
  near.on('close', () => far.destroy());
  far.on('close', () => near.destroy());
}

const askForPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** The answer of RDS to a token that AWS refuses (SQLSTATE 28000). */
function pamFailure(user: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28000\0MPAM authentication failed for user "${user}"\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** The user in a startup message: names and values end with NUL, after the length and the version. */
function userIn(startup: Buffer): string {
  const fields = startup.subarray(8).toString().split('\0');
  return fields[fields.indexOf('user') + 1] ?? '';
}

/** Starts a front for Postgres. Like RDS, it asks for the token as a password in plain text, and only inside TLS. */
export function startRdsFront(databaseUrl: string): Promise<IamFront> {
  let port = 0;
  const front = startFront(
    (serve, { cert, key }) =>
      createServer((plain) => {
        plain.on('error', () => plain.destroy());
        plain.once('data', (request) => {
          // SSLRequest is 8 bytes long, and 80877103 is its code.
          if (request.length !== 8 || request.readInt32BE(4) !== 80_877_103) return void plain.destroy();
          plain.write('S');
          serve(new TLSSocket(plain, { isServer: true, cert, key }));
        });
      }),
    (socket, check, keep) => {
      socket.once('data', (startup: Buffer) => {
        const user = userIn(startup);
        socket.write(askForPassword);
        socket.once('data', (message: Buffer) => {
          if (check(user, message.subarray(5, -1).toString()))
            passOn(socket, new URL(databaseUrl), keep, startup);
          else socket.end(pamFailure(user));
        });
      });
    },
    (token) => {
      const { host, asks } = checkIamToken(token, 'rds-db');
      if (host !== `localhost:${port}`) throw new Error(`the token is for ${host}`);
      return { user: asks.DBUser };
    },
  );
  return front.then((started) => {
    port = started.port;
    return started;
  });
}

/** Starts a front for Redis, for a cache with this name. It takes the token from the first command, HELLO. */
export function startElastiCacheFront(redisUrl: string, cache: string): Promise<IamFront> {
  return startFront(
    (serve, { cert, key }) => createTlsServer({ cert, key }, serve),
    (socket, check, keep) => {
      socket.once('data', (data: Buffer) => {
        const text = data.toString('latin1');
        const hello =
          /^\*5\r\n\$5\r\nhello\r\n\$1\r\n3\r\n\$4\r\nAUTH\r\n\$\d+\r\n(\S+)\r\n\$\d+\r\n(\S+)\r\n/i.exec(
            text,
          );
        const [command = '', user = '', token = ''] = hello ?? [];
        if (check(user, token))
          passOn(
            socket,
            new URL(redisUrl),
            keep,
            Buffer.concat([Buffer.from('*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n'), data.subarray(command.length)]),
          );
        else socket.end('-WRONGPASS invalid username-password pair or user is disabled.\r\n');
      });
    },
    (token) => {
      const { host, asks } = checkIamToken(token, 'elasticache');
      if (host !== cache) throw new Error(`the token is for the cache ${host}`);
      return { user: asks.User };
    },
  );
}
