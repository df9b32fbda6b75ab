import type { PendingInteraction } from './interaction.ts';

/** Who decides whether a sign-in outlives the browser window: the person, or the configuration for all. */
export type RememberMe = 'ask' | 'always' | 'never';

/** Who proves once more that they're still there isn't asked again: their session stays as it was. */
export function asksToRemember(mode: RememberMe, interaction: PendingInteraction): boolean {
  return mode === 'ask' && interaction.accountId === undefined;
}

/**
 * @param ticked whether the form said so
 * @returns what the session is told; undefined leaves it as it was
 */
export function isRemembered(
  mode: RememberMe,
  interaction: PendingInteraction,
  { accountId, ticked }: { accountId: string; ticked: boolean },
): boolean | undefined {
  if (mode !== 'ask') return mode === 'always';
  return interaction.accountId === accountId ? undefined : ticked;
}
