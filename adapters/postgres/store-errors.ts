import { GatehouseError, StoreUnavailable } from '../../provider/lib/errors.ts';

/**
 * SQLSTATEs that mean that the database can't serve requests now: connection errors (08), authentication while a
 * password is rotated (28), no such database (3D000), read only after a failover (25006), ended transactions (25P03,
 * 25P04), serialisation failure and deadlock (40001, 40P01), insufficient resources (53), lock and statement timeouts
 * (55P03, 57014), shutdown (57P0x), system errors (58).
 */
const unavailableState = /^(08...|28...|3D000|25006|25P03|25P04|40001|40P01|53...|55P03|57014|57P0.|58...)$/;

/** Errors for a character that a text column can't store: NUL, or an invalid escape. */
const unstorableState = /^(22021|22P05)$/;

/** Codes of Node's network and TLS errors, without its argument errors. */
const networkCode =
  /^(E(?!RR_)|ERR_(TLS|SSL|SOCKET|STREAM)|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME)/;

/**
 * Messages of errors without a code, from pg, knex, knex's pool and the embedded database. knex puts the statement
 * before the message.
 */
const lostMessage =
  /(^| - )(Connection terminated|Connection ended|timeout expired|Query read timeout|Client (has encountered|was closed)|The server does not support SSL|There was an error establishing an SSL|SASL|Unable to acquire a connection|aborted|PGlite is clos)/;

interface DriverError {
  name: string;
  message: string;
  code?: unknown;
  /** Only errors that the server sent have it. */
  severity?: unknown;
}

// Checks the properties and not `instanceof`: in a vm context, Node's errors are not instances of this context's
// `Error`.
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
 * RDS checks IAM tokens by PAM, and its message does not say so. Only the message shows it: the SQLSTATE 28000 has other
 * causes too.
 */
function explained(error: DriverError): DriverError {
  if (!/(^| - )PAM authentication failed/.test(error.message)) return error;
  const advice =
    'RDS refused the IAM token. The role of this process needs rds-db:connect for this database user; the user needs the grant rds_iam; the URL must have the endpoint of the instance and no alias; AWS_REGION must be its region. A user with rds_iam cannot sign in with a password.';
  return Object.assign(new Error(`${error.message}: ${advice}`, { cause: error }), { code: error.code });
}

/**
 * Converts an error of the driver. Gives StoreUnavailable when the database can't be reached or did not answer in time,
 * and `invalid_request` for text that it can't store. Any other error is given back unchanged, for example an error in
 * our SQL.
 */
export function translateError(error: unknown): unknown {
  if (error instanceof GatehouseError || !isDriverError(error)) return error;
  if (isUnavailable(error)) return new StoreUnavailable('postgres', explained(error));
  if (error.severity !== undefined && unstorableState.test(String(error.code)))
    return new GatehouseError('invalid_request', 'A value holds a character that can’t be stored.', {
      cause: error,
    });
  return error;
}

/**
 * Whether a connection is unusable after this error. There are three causes: the server ended the session; an answer
 * did not come in time, so the next query could get the old answer; or the server became a read-only replica.
 */
export function spoilsConnection(error: DriverError): boolean {
  if (error.severity === undefined) return /(^| - )Query read timeout$/.test(error.message);
  return /^(25006|25P03|25P04|57P0.)$/.test(String(error.code));
}
