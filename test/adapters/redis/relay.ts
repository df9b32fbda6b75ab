import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP port in front of a server. Its address stays the same while the server stops, changes and starts again. */
export interface Relay {
  port: number;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps connections open and accepts new ones, but forwards nothing. */
  silence(): void;
  /** Forwards everything again, now to the given port. */
  mend(targetPort: number): Promise<void>;
}

/** Opens a relay to a port of 127.0.0.1. */
export async function openRelay(targetPort: number): Promise<Relay> {
  let target = targetPort;
  let silent = false;
  let listener: Server | undefined;
  const sockets = new Set<Socket>();

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (silent) socket.pause();
  };
  const accept = (near: Socket) => {
    keep(near);
    if (silent) return;
    const far = connect(target, '127.0.0.1');
    keep(far);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  };
  const listen = async (port: number) => {
    listener = createServer(accept).listen(port, '127.0.0.1');
    await once(listener, 'listening');
    return (listener.address() as AddressInfo).port;
  };
  const cut = async () => {
    const closed = listener ? once(listener, 'close') : undefined;
    listener?.close();
    listener = undefined;
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  const port = await listen(0);
  return {
    port,
    cut,
    silence: () => {
      silent = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend: async (newTarget) => {
      await cut();
      silent = false;
      target = newTarget;
      await listen(port);
    },
  };
}
