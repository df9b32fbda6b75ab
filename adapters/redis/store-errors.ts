import { StoreUnavailable } from '../../provider/lib/errors.ts';

/**
 * Error replies for temporary conditions. Any other error reply means a mistake in our code or in the server's
 * permissions.
 */
const passing = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOAUTH',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNBLOCKED',
  'WRONGPASS',
]);

/**
 * The reason in a driver's error, without the arguments of the command. They contain keys, and in a handshake the
 * password.
 */
export function reasonOf(error: unknown): string {
  // The client of a cluster wraps the error of the last node that it tried.
  if (error instanceof Error && 'lastNodeError' in error && error.lastNodeError)
    return reasonOf(error.lastNodeError);
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (message.split(', with args beginning')[0] ?? '') || code || 'no reason given';
}

/** Gives StoreUnavailable for temporary errors, and another Error for a command that Redis refuses permanently. */
export function toStoreError(error: unknown): Error {
  const reason = reasonOf(error);
  const refused =
    error instanceof Error && error.name === 'ReplyError' && !passing.has(reason.split(' ')[0] ?? '');
  if (refused) return new Error(`Redis refused a command: ${reason}`);
  return new StoreUnavailable('Redis', new Error(reason));
}
