import { waitFor } from '../support/wait-for.ts';

/** Calls of a store that were stopped on their way, as a slow process or network would. */
export interface HeldCalls {
  /** Resolves when so many are held. */
  reached(count: number): Promise<unknown>;
  /** Later calls go through; those held stay so. */
  letOthersPass(): void;
  /** The one that was held first goes on; the others, and later ones, stay held. */
  releaseFirst(): void;
  /** All that were held go on. */
  release(): void;
}

/** Holds every call of this method until told otherwise. */
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

/** Puts another method in place of one. Gives what brings it back. */
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
