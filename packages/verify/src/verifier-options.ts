import { problemsOfRequirements, type Requirements } from './requirements.ts';
import type { RevocationOptions } from './revocation-look.ts';

// The public types name nothing of jose: its types cannot be read from CommonJS.
export interface KeyCacheOptions {
  /** The age, in seconds, at which the keys are read again in the background. Default: 600. */
  refreshAfterSeconds?: number | undefined;
  /** The age, in seconds, at which keys are not used any more if they cannot be read again. Default: 3600. */
  maxAgeSeconds?: number | undefined;
  /** An unknown `kid` makes the keys be read again, but not if they are younger than this. Default: 30 seconds. */
  cooldownSeconds?: number | undefined;
}

export interface VerifierOptions extends Requirements {
  /** The issuer, exactly as in the claim `iss`: `https://id.example.com`. */
  issuer: string;
  /** Your API: the audience that tokens must be for. A list accepts tokens for each of them. */
  audience: string | readonly string[];
  /** The address of the keys. Default: `jwks_uri` of the issuer's discovery document. */
  jwksUri?: string | undefined;
  /** Default: `['RS256']`, which is what Gatehouse uses. */
  algorithms?: readonly string[] | undefined;
  /** How far the clocks may differ. Default: 5 seconds. */
  clockToleranceSeconds?: number | undefined;
  /** Ask Gatehouse for each token whether it was revoked. Default: no. `true` means the default options. */
  revocation?: RevocationOptions | boolean | undefined;
  /** The address of your API's metadata (RFC 9728). Every challenge names it, as MCP clients expect. */
  resourceMetadata?: string | undefined;
  keyCache?: KeyCacheOptions | undefined;
  /** How long to wait for discovery and keys. Default: 5 seconds. */
  timeoutSeconds?: number | undefined;
  /** Allows `http:` for hosts other than this machine. Only for networks that you trust. */
  allowHttp?: boolean | undefined;
  /** Replaces the `fetch` of Node, for example to use a proxy. */
  fetch?: typeof fetch | undefined;
}

const algorithm = /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/;
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** @throws TypeError that lists all mistakes */
export function checkVerifierOptions(options: VerifierOptions): void {
  const {
    issuer,
    audience,
    jwksUri,
    algorithms = ['RS256'],
    resourceMetadata,
    revocation,
    keyCache = {},
  } = options;
  const audiences = [audience].flat();
  const problems = problemsOfRequirements(options);
  const seconds = {
    clockToleranceSeconds: options.clockToleranceSeconds,
    timeoutSeconds: options.timeoutSeconds,
    'keyCache.refreshAfterSeconds': keyCache.refreshAfterSeconds,
    'keyCache.maxAgeSeconds': keyCache.maxAgeSeconds,
    'keyCache.cooldownSeconds': keyCache.cooldownSeconds,
  };
  const check = (isRight: boolean, problem: string) => isRight || problems.push(problem);

  check(audiences.length > 0 && audiences.every(isText), 'audience must name your API.');
  check(
    algorithms.length > 0 && algorithms.every((name) => algorithm.test(name)),
    'algorithms must be algorithms with a public key, such as RS256.',
  );
  for (const [name, value] of Object.entries(seconds))
    check(
      value === undefined || (Number.isFinite(value) && value >= 0),
      `${name} must be a number, 0 or more.`,
    );

  const lookUrl = typeof revocation === 'object' ? revocation.url : undefined;
  const urls = { issuer: issuer ?? '', jwksUri, resourceMetadata, 'revocation.url': lookUrl };
  for (const [name, url] of Object.entries(urls)) {
    const problem = url === undefined ? undefined : problemOfUrl(url, options.allowHttp);
    check(problem === undefined, `${name} ${problem}.`);
  }
  if (problems.length > 0) throw new TypeError(`createVerifier: ${problems.join(' ')}`);
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';

/** @returns what is wrong with the URL: it must use TLS, except on this machine */
export function problemOfUrl(url: string, allowHttp = false): string | undefined {
  const parsed = parseUrl(url);
  if (!parsed || /["\\\s]/.test(url)) return 'must be a URL';
  const { protocol, hostname, hash } = parsed;
  if (hash !== '') return 'must be a URL without a fragment';
  if (protocol === 'https:' || (protocol === 'http:' && (allowHttp || loopback.test(hostname))))
    return undefined;
  return 'must be an https URL (see allowHttp)';
}

/** `URL.canParse` gives wrong answers in Node 20 after many calls. */
function parseUrl(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}
