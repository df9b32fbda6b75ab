import type { PasswordParams } from '../../provider/accounts/passwords.ts';

/** The minimum of OWASP's Password Storage Cheat Sheet. */
export const owaspParams: PasswordParams = { memoryKib: 19_456, passes: 2, parallelism: 1 };
