import { waitFor } from './wait-for.ts';

/** Calls of a store that are stopped on their way, as a slow process or network stops them. */
export interface HeldCalls {
  /** Resolves when this many calls are held. */
  reached(count: number): Promise<unknown>;
  /** Lets later calls through. Held calls stay held. */
  letOthersPass(): void;
  /** Releases the call that was held first. Other and later calls stay held. */
  releaseFirst(): void;
  /** Releases all held calls, and lets later calls through. */
  release(): void;
}

/** Holds every call of this method until the test releases it. */
export function holdCalls<Port extends object>(port: Port, method: keyof Port & string): HeldCalls {
  const held: (() => void)[] = [];
  const letOthersPass = replaceMethod(port, method, async (original, args) => {
    await new Promise<void>((resolve) => held.push(resolve));
    return original(...args);
  });
  return {
    reached: (count) => waitFor(() => held.length === count, { what: `${count} calls of ${method}` }),
    letOthersPass,
    releaseFirst: () => held.shift()?.(),
    release: () => {
      letOthersPass();
      for (const go of held.splice(0)) go();
    },
  };
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** Replaces a method. Returns a function that restores it. */
export function replaceMethod<Port extends object>(
  port: Port,
  method: keyof Port & string,
  other: (original: Method, args: unknown[]) => Promise<unknown>,
): () => void {
  const original = (port[method] as Method).bind(port);
  const value = (...args: unknown[]) => other(original, args);
  Object.defineProperty(port, method, { configurable: true, value });
  return () => void Reflect.deleteProperty(port, method);
}
