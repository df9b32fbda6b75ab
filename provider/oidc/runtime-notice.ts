/**
 * Imported before anything that imports oidc-provider. On Node 20 the library prints, at import, that the runtime isn't
 * supported; it is tested here and works (DESIGN §6.12), and our log says so once, in a form programs can read.
 */
// biome-ignore-start lint/suspicious/noConsole: the library writes there, and this is about what it writes.
const warn = console.warn;
console.warn = (...args: unknown[]) => {
  const isRuntimeNotice = typeof args[0] === 'string' && args[0].includes('Unsupported runtime');
  if (!isRuntimeNotice) warn(...args);
};
// biome-ignore-end lint/suspicious/noConsole: see above.

/** The oldest Node that the library calls supported. */
export const supportedNodeMajor = 22;
