import type { App } from '../http/app.ts';
import { type Listener, type ListenOptions, listen } from '../http/server.ts';
import type { Component } from '../lib/lifecycle.ts';

export interface Listening {
  app: App;
  port: number;
  host: string | undefined;
  stopsSoon?: ListenOptions['stopsSoon'];
}

/** A listener as a part of the process. */
export function listening(name: string, { app, ...options }: Listening, stopSeconds: number): Component {
  let listener: Listener | undefined;
  return {
    name,
    stopSeconds,
    start: async () => {
      listener = await listen(app, options);
    },
    stop: async () => listener?.close(),
  };
}
