/**
 * This module is imported before any module that imports oidc-provider. On Node 20 the library prints at import that
 * the runtime is not supported. We test with Node 20 and it works (DESIGN §6.12). Our log says this once, in a form
 * that programs can read.
 */
// biome-ignore-start lint/suspicious/noConsole: the library writes to the console.
const warn = console.warn;
console.warn = (...args: unknown[]) => {
  const isRuntimeNotice = typeof args[0] === 'string' && args[0].includes('Unsupported runtime');
  if (!isRuntimeNotice) warn(...args);
};
// biome-ignore-end lint/suspicious/noConsole: see above.

/** The oldest Node that the library calls supported. */
export const supportedNodeMajor = 22;
