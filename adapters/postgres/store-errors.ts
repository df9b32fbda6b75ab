import { GatehouseError, StoreUnavailable } from '../../provider/lib/errors.ts';

/**
 * SQLSTATEs that say the database can't serve now: connections (08), authentication while a password is
 * rotated (28), no such database (3D000), read only after a failover (25006), ended transactions (25P03,
 * 25P04), serialisation and deadlock (40001, 40P01), resources (53), lock and statement timeouts (55P03,
 * 57014), shutdown (57P0x), system (58).
 */
const unavailableState = /^(08...|28...|3D000|25006|25P03|25P04|40001|40P01|53...|55P03|57014|57P0.|58...)$/;

/** A character no text column holds: NUL, or a broken escape. */
const unstorableState = /^(22021|22P05)$/;

/** Codes of Node's network and TLS errors, but not of its argument errors. */
const networkCode =
  /^(E(?!RR_)|ERR_(TLS|SSL|SOCKET|STREAM)|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME)/;

/** What pg, knex, its pool and the embedded database say without a code; knex puts the statement before it. */
const lostMessage =
  /(^| - )(Connection terminated|Connection ended|timeout expired|Query read timeout|Client (has encountered|was closed)|The server does not support SSL|There was an error establishing an SSL|SASL|Unable to acquire a connection|aborted|PGlite is clos)/;

interface DriverError {
  name: string;
  message: string;
  code?: unknown;
  /** Only the server's own errors have it. */
  severity?: unknown;
}

// By shape: an error of Node's own isn't an `Error` of this realm where the program runs in a vm context.
function isDriverError(error: unknown): error is DriverError {
  return typeof error === 'object' && error !== null && 'name' in error && 'message' in error;
}

function isUnavailable(error: DriverError): boolean {
  const code = typeof error.code === 'string' ? error.code : '';
  if (error.severity !== undefined) return unavailableState.test(code);
  if (error.name === 'KnexTimeoutError' || error.name === 'TimeoutError') return true;
  return networkCode.test(code) || lostMessage.test(error.message);
}

/**
 * Turns what the driver threw into what the rest of the program knows: StoreUnavailable when the database
 * can't be reached or didn't answer in time, `invalid_request` for text it can't hold. Anything else, a
 * mistake in our SQL for one, is given back as it is.
 */
export function translateError(error: unknown): unknown {
  if (error instanceof GatehouseError || !isDriverError(error)) return error;
  if (isUnavailable(error)) return new StoreUnavailable('postgres', error);
  if (error.severity !== undefined && unstorableState.test(String(error.code)))
    return new GatehouseError('invalid_request', 'A value holds a character that can’t be stored.', {
      cause: error,
    });
  return error;
}

/**
 * Whether a connection is of no use after this error: its session was ended; it fell silent, so that its next
 * answer would be the old one; or its server became a read-only replica.
 */
export function spoilsConnection(error: DriverError): boolean {
  if (error.severity === undefined) return /(^| - )Query read timeout$/.test(error.message);
  return /^(25006|25P03|25P04|57P0.)$/.test(String(error.code));
}
