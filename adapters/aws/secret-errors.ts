import { ConfigurationError } from '../../provider/lib/errors.ts';

/** An error of the SDK. Only errors that AWS sent have a status. */
export interface ReadError {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
}

const isRegionMissing = ({ message }: ReadError) => /^Region is missing/.test(message);

/** Whether the same request fails until a person changes something. */
export function isLasting(error: ReadError): boolean {
  return (
    isRegionMissing(error) ||
    /^((ResourceNotFound|InvalidRequest|InvalidParameter|Validation)Exception|DecryptionFailure)$/.test(
      error.name,
    )
  );
}

/** The first line of an error. The SDK's errors name principals, secrets and addresses, and never a secret's value. */
export function errorText(error: unknown): string {
  const { name, message } = error as ReadError;
  const line = String(message).split('\n')[0] ?? '';
  return name === 'Error' || error instanceof ConfigurationError ? line : `${name}: ${line}`;
}

function advice(error: ReadError): string {
  if (isRegionMissing(error)) return 'Set AWS_REGION.';
  switch (error.name) {
    case 'CredentialsProviderError':
      return 'There are no AWS credentials: check the Pod Identity association or the role of the service account.';
    case 'ResourceNotFoundException':
      return 'Check the name and the region. A secret without a value counts as missing too.';
    case 'InvalidRequestException':
      return 'Check whether the secret is marked for deletion.';
    case 'AccessDeniedException':
      return 'Allow secretsmanager:GetSecretValue for this secret, and kms:Decrypt for its key if it has one of its own.';
    case 'DecryptionFailure':
      return "Allow kms:Decrypt for the secret's key, and check that the key is enabled.";
    default:
      return 'Check the network path to Secrets Manager and the region.';
  }
}

/** The error for the caller: what is wrong, where, and what to do. */
export function adviceFor(reference: string, error: ReadError): ConfigurationError {
  return new ConfigurationError([
    `The secret ${reference} can't be read (${errorText(error)}). ${advice(error)}`,
  ]);
}
