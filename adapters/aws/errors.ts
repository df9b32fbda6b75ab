import { ConfigurationError } from '../../provider/lib/errors.ts';

/** An error of the SDK. Only errors that AWS sent have a status. */
export interface AwsError {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
}

const isRegionMissing = ({ message }: AwsError) => /^Region is missing/.test(message);

/** Whether the same request fails until a person changes something. */
export function isLasting(error: AwsError): boolean {
  return (
    isRegionMissing(error) ||
    /^((ResourceNotFound|InvalidRequest|InvalidParameter|Validation)Exception|DecryptionFailure)$/.test(
      error.name,
    )
  );
}

/** The first line of an error. The SDK's errors name principals, secrets and addresses, and never a secret's value. */
export function errorText(error: unknown): string {
  const { name, message } = error as AwsError;
  const line = String(message).split('\n')[0] ?? '';
  return name === 'Error' || error instanceof ConfigurationError ? line : `${name}: ${line}`;
}

/** What an operator must do about the region or the identity of the process. Undefined for any other error. */
export function identityAdvice(error: AwsError): string | undefined {
  if (isRegionMissing(error)) return 'Set AWS_REGION, for example eu-central-1.';
  switch (error.name) {
    case 'CredentialsProviderError':
      return 'There are no AWS credentials: check the Pod Identity association (EKS) or the role of the service account, or set AWS_PROFILE.';
    case 'UnrecognizedClientException':
      return 'AWS does not accept the credentials: check the identity of the pod, and AWS_ACCESS_KEY_ID if it is set.';
    default:
      return undefined;
  }
}

/** How a part of Gatehouse uses a secret of Secrets Manager. Its errors give the advice that fits. */
export interface SecretUse {
  /** What an operator does about a secret that is missing. */
  missing: string;
  /** The actions of Secrets Manager that the role of the process needs. */
  actions: readonly string[];
}

/** What an operator must do. Undefined for an error that may pass by itself. */
function adviceOn(error: AwsError, { missing, actions }: SecretUse): string | undefined {
  switch (error.name) {
    case 'ResourceNotFoundException':
      return missing;
    case 'InvalidRequestException':
      return 'Check whether the secret is marked for deletion: aws secretsmanager restore-secret takes the mark away.';
    case 'AccessDeniedException':
      return `Allow ${actions.map((action) => `secretsmanager:${action}`).join(', ')} for this secret, and the use of its KMS key if it has one of its own.`;
    case 'DecryptionFailure':
      return "Allow kms:Decrypt for the secret's key, and check that the key is enabled.";
    case 'LimitExceededException':
      return 'The secret has too many staging labels: remove those that other programs left there.';
    default:
      return identityAdvice(error);
  }
}

/**
 * The error for an operator: what is wrong with which secret, and what to do.
 *
 * @param problem for example "The secret NAME can't be read"
 * @returns undefined for an error that may pass by itself
 */
export function explainSecretError(
  problem: string,
  error: AwsError,
  use: SecretUse,
): ConfigurationError | undefined {
  const advice = adviceOn(error, use);
  return advice === undefined
    ? undefined
    : new ConfigurationError([`${problem} (${errorText(error)}). ${advice}`]);
}
