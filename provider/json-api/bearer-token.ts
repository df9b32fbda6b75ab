/** The token of an Authorization header (RFC 6750 §2.1); '' when it is missing or of another scheme. */
export function bearerTokenOf(header: string): string {
  return /^bearer (?<token>[\w.~+/=-]+)$/i.exec(header)?.groups?.token ?? '';
}
