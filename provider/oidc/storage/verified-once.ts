import type { AccessTokenVerifier } from '../tokens/access-token-verifier.ts';

type Verify = AccessTokenVerifier['verify'];

/**
 * Introspection looks for a token of every kind at once: what one request asks twice is found out once.
 * @param request what stands for the request under way; undefined outside of one
 */
export function verifiedOnce(verify: Verify, request: () => object | undefined): Verify {
  const asked = new WeakMap<object, Map<string, ReturnType<Verify>>>();
  return (token) => {
    const key = request();
    if (key === undefined) return verify(token);
    const answers = asked.get(key) ?? new Map<string, ReturnType<Verify>>();
    asked.set(key, answers);
    const answer = answers.get(token) ?? verify(token);
    answers.set(token, answer);
    return answer;
  };
}
