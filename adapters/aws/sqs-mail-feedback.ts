import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import type { FeedbackMessage, MailFeedback } from '../../provider/ports/mail-feedback.ts';
import { type AwsError, errorText, identityAdvice } from './errors.ts';
import { readSesReport } from './ses-report.ts';

export interface SqsMailFeedbackOptions {
  /** The URL of the queue. Its region takes precedence over the configured one. */
  queueUrl: string;
  /** Settings of the AWS client. The default is the environment and the identity of the pod. */
  client?: SQSClientConfig;
  /** How long `receive` waits for a message, in seconds, at most 20. */
  waitSeconds?: number;
  /** How long a message that was received is hidden from others, in seconds. */
  hiddenSeconds?: number;
}

/** The most that one call of SQS takes. */
const most = 10;

/** Reads reports of Amazon SES from an SQS queue. */
export class SqsMailFeedback implements MailFeedback {
  readonly #client: SQSClient;
  readonly #queueUrl: string;
  readonly #waitSeconds: number;
  readonly #hiddenSeconds: number;

  constructor({ queueUrl, client, waitSeconds = 20, hiddenSeconds = 60 }: SqsMailFeedbackOptions) {
    const region = /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\./.exec(queueUrl)?.[1];
    const callMs = 10_000;
    this.#client = new SQSClient({
      ...client,
      // Otherwise the SDK warns on the console where the queue has another host than the region's usual one.
      endpoint: new URL(queueUrl).origin,
      ...(region !== undefined && { region }),
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: callMs,
        requestTimeout: waitSeconds * 1000 + callMs,
        throwOnRequestTimeout: true,
      },
    });
    this.#queueUrl = queueUrl;
    this.#waitSeconds = waitSeconds;
    this.#hiddenSeconds = hiddenSeconds;
  }

  async receive(stopping: AbortSignal): Promise<FeedbackMessage[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#queueUrl,
      MaxNumberOfMessages: most,
      WaitTimeSeconds: this.#waitSeconds,
      VisibilityTimeout: this.#hiddenSeconds,
    });
    const { Messages = [] } = await this.#client
      .send(command, { abortSignal: stopping })
      .catch((error: AwsError) => this.#explain(error));
    return Messages.map(({ Body = '', ReceiptHandle = '' }) => ({
      receipt: ReceiptHandle,
      report: readSesReport(Body),
    }));
  }

  async remove(receipts: string[]): Promise<void> {
    for (let at = 0; at < receipts.length; at += most) {
      const Entries = receipts
        .slice(at, at + most)
        .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      const command = new DeleteMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries });
      const { Failed = [] } = await this.#client
        .send(command)
        .catch((error: AwsError) => this.#explain(error));
      if (Failed.length > 0)
        throw new Error(`SQS did not delete ${Failed.length} messages: ${Failed[0]?.Code ?? 'no reason'}`);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #explain(error: AwsError): never {
    const advice = adviceOn(error);
    if (advice === undefined) throw error;
    throw new ConfigurationError([
      `The queue of GATEHOUSE_MAIL_FEEDBACK_QUEUE cannot be used (${errorText(error)}). ${advice}`,
    ]);
  }
}

function adviceOn(error: AwsError): string | undefined {
  switch (error.name) {
    case 'QueueDoesNotExist':
      return 'Check the URL, its region and its account.';
    case 'AccessDeniedException':
    case 'AccessDenied':
    case 'KmsAccessDenied':
      return 'Allow sqs:ReceiveMessage and sqs:DeleteMessage for the queue, and kms:Decrypt for its key if it has one of its own: docs/mail.md has the policy.';
    default:
      return identityAdvice(error);
  }
}
