import { z } from 'zod';

/** The shape of `rotateAfter` and `overlap`: whole hours, minutes and seconds, as Go and Kubernetes write them. */
const durationShape = /^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$/;

const duration = z
  .string()
  .min(2)
  .max(20)
  .regex(durationShape, 'must be a duration such as 720h, 90m or 24h30m');

const secretName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Secret');

/** The fields of an `OIDCClient` that a client document does not have. They say where the client's secret is. */
export const operatorFieldsSchema = z.strictObject({
  secretRef: z
    .strictObject({
      name: secretName.describe('The name of the Secret, in the same namespace.'),
      key: z
        .string()
        .max(253)
        .regex(/^[-._a-zA-Z0-9]+$/, 'must be a key of a Secret')
        .optional()
        .describe('The key of the client secret in it; client_secret if left out.'),
    })
    .optional()
    .describe('A Secret that holds the client secret. Gatehouse waits for it and never makes one up.'),
  secretName: secretName
    .optional()
    .describe(
      'The Secret into which Gatehouse writes a generated client secret; if left out, the name of the resource followed by -oidc.',
    ),
  rotateAfter: duration
    .optional()
    .describe('The age at which Gatehouse replaces a generated secret. At least 1h; never if left out.'),
  overlap: duration
    .optional()
    .describe('How long the secret before the current one still works; 24h if left out.'),
});

export type OperatorFields = z.output<typeof operatorFieldsSchema>;

/** The names of these fields. All other fields of a spec belong to the client document. */
export const operatorFieldNames = Object.keys(operatorFieldsSchema.shape);

/** The JSON Schema of these fields. */
export const operatorFieldsJsonSchema = () => z.toJSONSchema(operatorFieldsSchema, { io: 'input' });

/** Gives the milliseconds of a duration such as `24h30m`. The schema above has checked its shape. */
export function durationMs(text: string): number {
  const [, hours, minutes, seconds] = durationShape.exec(text) ?? [];
  const count = (part: string | undefined) => Number.parseInt(part ?? '0', 10);
  return (count(hours) * 3600 + count(minutes) * 60 + count(seconds)) * 1000;
}
