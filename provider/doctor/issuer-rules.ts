import type { Answer, Look, Observation } from './observe.ts';
import { isPrivateAddress } from './private-address.ts';
import { type DoctorRule, failed, gatewayLimits, ok, skipped, type Verdict, warning } from './rule.ts';

const day = 86_400_000;
/** Public authorities renew a certificate earlier than this. */
const renewedBefore = 14 * day;

/** What Node's codes for faults of certificates mean. */
const faults: Record<string, [meaning: string, remedy: string]> = {
  CERT_HAS_EXPIRED: ['has expired', 'Renew it, and find out why it was not renewed by itself.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is for another host name',
    'Get a certificate that names the host of this URL.',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'is self-signed',
    'Use a certificate of a public authority, for example of AWS Certificate Manager.',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'comes from an authority that is not public',
    'Use a certificate of a public authority, for example of AWS Certificate Manager.',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'has an incomplete chain: the server does not send the intermediate certificate, or the authority is not public',
    'Let the server send the whole chain, without the root.',
  ],
};

/** A rule about discovery and key set. `check` gets the name and the answer of each that could be fetched. */
const onEach =
  (check: (name: string, answer: Answer, look: Look) => Verdict) =>
  ({ discovery, jwks }: Observation): Verdict => {
    const looks = [['discovery', discovery] as const, ['the key set', jwks] as const];
    const verdicts = looks.flatMap(([name, look]) => (look?.answer ? [check(name, look.answer, look)] : []));
    const worst = ['failed', 'warning', 'ok'].flatMap((state) =>
      verdicts.filter((one) => one.state === state),
    );
    return worst[0] ?? verdicts[0] ?? skipped('Nothing answered.');
  };

const answered = (look: Look | undefined, what: string) => (check: (answer: Answer) => Verdict) =>
  look?.answer ? check(look.answer) : skipped(`${what} could not be fetched.`);

const timeOf = (look: Look | undefined, what: string) =>
  answered(
    look,
    what,
  )(({ milliseconds }) => {
    const { documentMilliseconds: most } = gatewayLimits;
    const took = `${what} took ${milliseconds} ms of ${most}`;
    if (milliseconds > most)
      return failed(
        `${took}.`,
        'Find what is slow: name resolution, the load balancer, or a process that just started.',
      );
    if (milliseconds > most / 2)
      return warning(
        `${took}, from here.`,
        'Measure again from the region of the gateway. Leave room for slow moments.',
      );
    return ok(`${took}.`);
  });

const sizeOf = (look: Look | undefined, what: string) =>
  answered(
    look,
    what,
  )(({ bytes }) => {
    const { documentBytes: most } = gatewayLimits;
    if (bytes <= most) return ok(`${what} has ${bytes} bytes of ${most}.`);
    return failed(
      `${what} has ${bytes} bytes, more than ${most}.`,
      'Remove what is not needed from the document, for example keys that were retired long ago.',
    );
  });

/** Says how two issuers differ, because a difference of one character is hard to see. */
function difference(given: string, published: string): string {
  if (`${given}/` === published) return 'It has a slash more at its end.';
  if (given === `${published}/`) return 'It has a slash less at its end.';
  if (given.replace(/^https:/, 'http:') === published) return 'It begins with http instead of https.';
  if (given.toLowerCase() === published.toLowerCase()) return 'Upper and lower case differ.';
  const at = [...given].findIndex((character, index) => character !== published[index]);
  return `They differ from character ${(at < 0 ? given.length : at) + 1} on.`;
}

/** What a published issuer must be. @param where names the place for messages */
export function compareIssuer(given: string, published: unknown, where: string): Verdict {
  if (published === given) return ok(`${where} has the issuer ${given}.`);
  const found =
    typeof published === 'string'
      ? `has the issuer ${published}, not ${given}. ${difference(given, published)}`
      : 'has no issuer.';
  return failed(
    `${where} ${found}`,
    'Configure the issuer of the authorizer exactly as the issuer writes it, or mend the setting of the issuer. With Gatehouse it is GATEHOUSE_ISSUER.',
  );
}

export const issuerRules: DoctorRule[] = [
  {
    id: 'issuer-url',
    requires: 'The issuer is an https URL without query and fragment.',
    check: ({ issuer }) => {
      const { protocol, search, hash, username } = new URL(issuer);
      if (protocol !== 'https:')
        return failed(
          `${issuer} is not https.`,
          'Give the issuer an https URL: end TLS at the load balancer or gateway in front of it.',
        );
      if (search || hash || username || /[?#]/.test(issuer))
        return failed(
          `${issuer} has a query, a fragment or a user name.`,
          'Use a URL of host and path only.',
        );
      return ok(`${issuer} is an https URL.`);
    },
  },
  {
    id: 'reachable',
    requires: 'Discovery and key set answer from outside.',
    check: ({ discovery, jwks }) => {
      const silent = [discovery, jwks].find((look) => look?.failure !== undefined);
      if (!silent) return ok(`${discovery.url} answers.`);
      const { failure = '', url } = silent;
      const advice: Record<string, string> = {
        ENOTFOUND: 'The name has no address: add it to the public DNS.',
        ECONNREFUSED: 'Nothing listens there: start the issuer, and check the port and the security group.',
        TIMEOUT: 'It did not answer in 10 seconds: check the security group, the target group and the route.',
      };
      return failed(
        `${url} does not answer (${failure}).`,
        advice[failure] ??
          'Check the address, the listener and its TLS versions: API Gateway needs TLS 1.2 or later.',
      );
    },
  },
  {
    id: 'certificate',
    requires: 'The certificates are valid and come from a public authority.',
    check: onEach((name, { certificate }, { url }) => {
      if (certificate === undefined)
        return failed(
          `${name} (${url}) was read without TLS, so there is no certificate.`,
          'Serve it by https.',
        );
      const { fault } = certificate;
      if (fault !== undefined) {
        const [meaning, remedy] = faults[fault] ?? [
          `is not valid (${fault})`,
          'Use a certificate of a public authority.',
        ];
        return failed(`The certificate of ${name} ${meaning}.`, remedy);
      }
      return ok('The certificates are valid, and their chains lead to an authority that this machine knows.');
    }),
  },
  {
    id: 'certificate-renewal',
    requires: 'The certificates do not expire soon.',
    check: (seen) =>
      onEach((name, { certificate }) => {
        const left = (certificate?.validTo ?? Number.NaN) - seen.now;
        if (Number.isNaN(left)) return skipped('There is no certificate.');
        const days = Math.floor(left / day);
        return left > renewedBefore
          ? ok(`The certificate of ${name} is valid for ${days} more days.`)
          : warning(
              `The certificate of ${name} is valid for ${Math.max(0, days)} more days.`,
              'Check that it is renewed by itself.',
            );
      })(seen),
  },
  {
    id: 'public-address',
    requires: 'Discovery and key set can be reached from the internet, also for private APIs.',
    check: onEach((name, { address }) =>
      isPrivateAddress(address)
        ? warning(
            `From here, ${name} is at ${address}, a private address.`,
            'Run the doctor outside of the network too. If the name has only this address, give it a public one.',
          )
        : ok(`${name} is at ${address}.`),
    ),
  },
  {
    id: 'discovery-document',
    requires:
      'Discovery answers 200 with a JSON object at the issuer URL followed by /.well-known/openid-configuration.',
    check: ({ discovery, metadata }) =>
      answered(
        discovery,
        'Discovery',
      )(({ status, headers }) => {
        const { url } = discovery;
        if (status >= 300 && status < 400)
          return failed(
            `${url} answers ${status} and leads to ${headers.location ?? 'nowhere'}.`,
            'Serve the document at this URL itself. If the issuer has moved, configure its new URL.',
          );
        if (status !== 200)
          return failed(
            `${url} answers ${status}.`,
            'Route this path to the issuer, also if the issuer has a path. No authorizer may protect it.',
          );
        if (!metadata)
          return failed(`${url} does not answer with a JSON object.`, 'Check which service answers there.');
        return ok(`${url} answers 200 with JSON.`);
      }),
  },
  {
    id: 'issuer-match',
    requires: 'The issuer in discovery equals the configured issuer, character for character.',
    check: ({ issuer, metadata }) =>
      metadata
        ? compareIssuer(issuer, metadata.issuer, 'The discovery document')
        : skipped('There is no discovery document.'),
  },
  {
    id: 'discovery-time',
    requires: 'Discovery answers in 1,500 ms.',
    check: ({ discovery }) => timeOf(discovery, 'Discovery'),
  },
  {
    id: 'discovery-size',
    requires: 'Discovery is not larger than a key set may be: 150,000 bytes.',
    check: ({ discovery }) => sizeOf(discovery, 'Discovery'),
  },
  {
    id: 'jwks-time',
    requires: 'The key set answers in 1,500 ms.',
    check: ({ jwks }) => timeOf(jwks, 'The key set'),
  },
  {
    id: 'jwks-size',
    requires: 'The key set has at most 150,000 bytes.',
    check: ({ jwks }) => sizeOf(jwks, 'The key set'),
  },
];
