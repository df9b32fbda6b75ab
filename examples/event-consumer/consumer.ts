import { readFile } from 'node:fs/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Pool } from 'pg';
import { sendToDeadLetters } from './dead-letters.ts';
import { applyEvent } from './effect.ts';
import { createOnceInOrder, type OnceInOrder } from './once-in-order.ts';

export interface Consumer {
  inOrder: OnceInOrder;
  sqs: SQSClient;
  /** Creates the tables that are missing. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/** Writes a log line in JSON. It has ids and no email addresses. */
export const log = (message: string, facts: Record<string, unknown> = {}): void =>
  void process.stdout.write(`${JSON.stringify({ message, ...facts })}\n`);

/** Reads an environment variable that must be set. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`Set ${name}.`);
}

/**
 * The parts that the long poll and the Lambda function share. Settings: DATABASE_URL, DEAD_LETTER_QUEUE_URL, GAP_SECONDS,
 * RETRY_SECONDS, and those of the AWS SDK.
 */
export function createConsumer(): Consumer {
  // A statement must end before the message becomes visible again (30 seconds by default).
  const pool = new Pool({ connectionString: setting('DATABASE_URL'), statement_timeout: 10_000 });
  pool.on('error', (error) => log('a connection to the database broke', { error: String(error) }));
  const sqs = new SQSClient();
  const inOrder = createOnceInOrder({
    pool,
    apply: applyEvent,
    gapSeconds: Number(process.env.GAP_SECONDS ?? 30),
    retrySeconds: Number(process.env.RETRY_SECONDS ?? 10),
    giveUp: sendToDeadLetters(sqs, setting('DEAD_LETTER_QUEUE_URL')),
    log,
  });
  return {
    inOrder,
    sqs,
    prepare: async () => {
      await pool.query(await readFile(new URL('tables.sql', import.meta.url), 'utf8'));
    },
    close: async () => {
      sqs.destroy();
      await pool.end();
    },
  };
}
