const cutCodes = /^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_(PREMATURE_CLOSE|DESTROYED)|HPE_\w+)$/;

/** Whether an error says that the other side closed its connection. This is common and is not a fault of Gatehouse. */
export function isCut(error: unknown): boolean {
  return cutCodes.test(String((error as { code?: unknown } | null | undefined)?.code));
}
