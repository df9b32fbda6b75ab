import { start } from './auth.js';

export * from './auth.js';

/** As the start of an app does. The library may then load the page once more. */
export const started = start();
