/** Reads a secret by its reference: `file:/run/secrets/db`, `env:NAME`, `secretsmanager:NAME#KEY`. */
export interface Secrets {
  /** Throws an error that names the reference and what to do. The error never contains the secret. */
  resolve(reference: string): Promise<string>;
}
