import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP port in front of a server, whose address stays the same while the server goes, changes and comes back. */
export interface Relay {
  port: number;
  /** Ends all connections; new ones are refused. */
  cut(): Promise<void>;
  /** Keeps connections open and takes new ones, and lets nothing through. */
  silence(): void;
  /** Lets everything through again, from now on to this port. */
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
