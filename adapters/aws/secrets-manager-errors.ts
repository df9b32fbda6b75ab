import { ConfigurationError } from '../../provider/lib/errors.ts';

const actions = ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'];

/** What an operator must do, by the name of AWS's error. Other errors mean that Secrets Manager can't be reached now. */
const explanations: Record<string, (secret: string) => string> = {
  ResourceNotFoundException: (secret) =>
    `Secrets Manager has no secret ${secret} in this account and region. Create it without a value, or correct GATEHOUSE_KEYS or AWS_REGION.`,
  AccessDeniedException: (secret) =>
    `AWS doesn't allow this process to use the secret ${secret}. Allow its role ${actions.map((action) => `secretsmanager:${action}`).join(', ')}, and the use of the KMS key that encrypts the secret.`,
  DecryptionFailure: (secret) =>
    `AWS can't decrypt the secret ${secret}. Check that its KMS key is enabled, and that the role of this process may use it.`,
  InvalidRequestException: (secret) =>
    `AWS refuses to use the secret ${secret}. It may be marked for deletion: run aws secretsmanager restore-secret --secret-id ${secret}`,
  CredentialsProviderError: (secret) =>
    `There are no AWS credentials to read the secret ${secret}. Give the pod an identity (EKS Pod Identity or IRSA), or set AWS_PROFILE.`,
  UnrecognizedClientException: (secret) =>
    `AWS doesn't accept the credentials for the secret ${secret}. Check the identity of the pod, and AWS_ACCESS_KEY_ID if it is set.`,
  LimitExceededException: (secret) =>
    `The secret ${secret} has too many staging labels. Remove those that other programs left there.`,
};

/** Converts an error of the SDK to one that says what to do. Returns undefined for an error that may pass by itself. */
export function explainSecretsManagerError(error: unknown, secret: string): ConfigurationError | undefined {
  const { name, message } = error as Error;
  if (/region is missing/i.test(message))
    return new ConfigurationError([
      `The AWS region for the secret ${secret} is unknown. Set AWS_REGION, for example eu-central-1.`,
    ]);
  const explain = Object.hasOwn(explanations, name) ? explanations[name] : undefined;
  return explain && new ConfigurationError([explain(secret)]);
}
