import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port in front of a store that records each round trip with its question. */
export interface WireLog {
  port: number;
  close(): Promise<void>;
}

/** Receives the pieces of data of one connection and records the questions in them. */
type Reader = (bytes: Buffer) => void;

/** Opens a port in front of the server of the URL. It supports only connections without TLS. */
export async function openWireLog(url: string, newReader: () => Reader): Promise<WireLog> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: () => Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      other().destroy();
    });
  };
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: target.hostname, port: Number(target.port || 5432), noDelay: true });
    const read = newReader();
    keep(near, () => far);
    keep(far, () => near);
    near.on('data', read);
    near.pipe(far);
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Collects pieces. `take` returns the number of bytes that it used from the start, 0 if data is missing. */
function gathered(take: (bytes: Buffer) => number): Reader {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let taken = take(rest); taken > 0; taken = take(rest)) rest = rest.subarray(taken);
  };
}

/**
 * Reads Postgres' protocol: a simple query, or a Sync at the end of parse, bind and execute, is one round trip.
 * @param note is called with the text of each query
 */
export function postgresReader(note: (sql: string) => void): Reader {
  let started = false;
  let parsed = '';
  return gathered((bytes) => {
    // The first message has no type byte.
    const start = started ? 1 : 0;
    if (bytes.length < start + 4) return 0;
    const length = start + bytes.readUInt32BE(start);
    if (bytes.length < length) return 0;
    const type = started ? String.fromCharCode(bytes[0] ?? 0) : '';
    const body = bytes.toString('utf8', start + 4, length);
    started = true;
    if (type === 'Q') note(body.replace(/\0$/, ''));
    if (type === 'P') parsed = body.split('\0')[1] ?? '';
    if (type === 'S') note(parsed);
    return length;
  });
}

/**
 * Reads Redis' protocol: each command is one round trip.
 * @param note is called with the words of each command
 */
export function redisReader(note: (words: string[]) => void): Reader {
  return gathered((bytes) => {
    const words: string[] = [];
    let at = 0;
    const line = () => {
      const end = bytes.indexOf('\r\n', at);
      const text = end < 0 ? undefined : bytes.toString('latin1', at + 1, end);
      at = end + 2;
      return text;
    };
    const count = line();
    if (count === undefined) return 0;
    while (words.length < Number(count)) {
      const length = Number(line());
      if (Number.isNaN(length) || bytes.length < at + length + 2) return 0;
      words.push(bytes.toString('utf8', at, at + length));
      at += length + 2;
    }
    note(words);
    return at;
  });
}
