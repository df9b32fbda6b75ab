import type { AccessModel } from '../../config/access-model.ts';
import { nearMiss } from '../../lib/near-miss.ts';
import { CommandFailure } from '../cli/command-failure.ts';

/**
 * Throws a CommandFailure for roles that are not defined. The loading of the model has already checked that all roles
 * together fit into one access token.
 */
export function checkRoles(roles: readonly string[], model: AccessModel): void {
  const known = Object.keys(model.roles);
  const unknown = roles.filter((role) => !known.includes(role));
  if (unknown.length === 0) return;
  const meant = nearMiss(unknown[0] ?? '', known);
  const hint = meant === undefined ? `Known are: ${known.join(', ') || 'none'}.` : `Did you mean ${meant}?`;
  throw new CommandFailure(
    'usage',
    `No such role: ${unknown.join(', ')}. ${hint} GATEHOUSE_APIS_FILE defines roles.`,
    { code: 'unknown_role' },
  );
}
