import { StoreUnavailable } from '../../provider/lib/errors.ts';

/** Replies that mean 'not now'. Any other error reply means a mistake in our code or in the server's permissions. */
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

/** What a driver's error says, without what it carries: its arguments hold keys, and a handshake's the password. */
export function reasonOf(error: unknown): string {
  // A cluster's client wraps what the last node it asked said.
  if (error instanceof Error && 'lastNodeError' in error && error.lastNodeError)
    return reasonOf(error.lastNodeError);
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (message.split(', with args beginning')[0] ?? '') || code || 'no reason given';
}

/** StoreUnavailable for temporary errors; another Error for a command that Redis refuses permanently. */
export function toStoreError(error: unknown): Error {
  const reason = reasonOf(error);
  const refused =
    error instanceof Error && error.name === 'ReplyError' && !passing.has(reason.split(' ')[0] ?? '');
  if (refused) return new Error(`Redis refused a command: ${reason}`);
  return new StoreUnavailable('Redis', new Error(reason));
}
