const cutCodes = /^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_(PREMATURE_CLOSE|DESTROYED)|HPE_\w+)$/;

/** Whether an error says that the other end closed its connection, which happens all day and is nothing of ours. */
export function isCut(error: unknown): boolean {
  return cutCodes.test(String((error as { code?: unknown } | null | undefined)?.code));
}
