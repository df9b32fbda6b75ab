import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port in front of a store that notes each round trip by what it asks for. */
export interface WireLog {
  port: number;
  close(): Promise<void>;
}

/** Takes what one connection sends, in whatever pieces, and notes the questions in it. */
type Reader = (bytes: Buffer) => void;

/** Opens it before the server of this URL. Connections without TLS only. */
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

/** Gathers pieces; `take` gives how many bytes it took from the front, 0 when the rest is still to come. */
function gathered(take: (bytes: Buffer) => number): Reader {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let taken = take(rest); taken > 0; taken = take(rest)) rest = rest.subarray(taken);
  };
}

/**
 * Reads Postgres' protocol: a simple query, or a Sync at the end of parse, bind and execute, is one round trip.
 * @param note told the text of each
 */
export function postgresReader(note: (sql: string) => void): Reader {
  let started = false;
  let parsed = '';
  return gathered((bytes) => {
    // The first message has no type.
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
 * @param note told the words of each
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
