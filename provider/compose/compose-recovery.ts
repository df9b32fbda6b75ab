import { createRecovery, type Recovery } from '../accounts/recovery.ts';
import type { Parts } from './compose-deps.ts';
import type { Protocol } from './compose-protocol.ts';

/** Assembles the recovery of accounts. Undefined when mail is off. */
export function composeRecovery(parts: Parts, { signIns }: Pick<Protocol, 'signIns'>): Recovery | undefined {
  const { writeMail, config, ports, logger } = parts;
  if (writeMail === undefined) return undefined;
  const recovery = createRecovery({ ...parts, accounts: ports.accounts, writeMail, issuer: config.issuer });
  return {
    ...recovery,
    setPassword: async (input) => {
      const recovered = await recovery.setPassword(input);
      // The token version has already ended every sign-in. This removes them from the list.
      await signIns
        .end(recovered.account.id, () => true)
        .catch((error: unknown) => logger.warn({ err: error }, 'sign-in list could not be updated'));
      return recovered;
    },
  };
}
