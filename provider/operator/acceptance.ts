import type { ClientResource, ObjectKey } from '../ports/kubernetes.ts';
import { type Finding, found, missing } from './conditions.ts';
import { type OperatorFields, operatorFieldNames, operatorFieldsSchema } from './operator-fields.ts';

/** What namespaces may do. */
export interface NamespaceRules {
  /** Patterns of client ids by namespace, with `*` for any text. The namespace `*` stands for all. */
  claims: ReadonlyMap<string, readonly string[]>;
  /** Namespaces whose clients may be first-party clients. */
  firstParty: readonly string[];
}

/** Gives the problems of a client document as lines of text. */
export type CheckDocument = (document: Record<string, unknown>) => readonly string[];

/** A resource that may be a client. */
export interface Acceptable {
  clientId: string;
  /** The client document, without the secrets that the operator keeps. */
  document: Record<string, unknown>;
  fields: OperatorFields;
  /** How the client authenticates, and whether its spec has digests of secrets. */
  secret: 'referenced' | 'generated' | 'digests' | 'none';
}

export type Acceptance = { finding: Finding; acceptable: Acceptable | undefined };

/** The client id of a resource. A namespace has no dot, so two resources never get the same id without asking for it. */
export function clientIdOf({ metadata, spec }: Pick<ClientResource, 'metadata' | 'spec'>): string {
  return typeof spec.id === 'string' ? spec.id : `${metadata.namespace}.${metadata.name}`;
}

/** A digest that stands for the secret that the operator will add, for the checks of the document. */
const placeholder = { sha256: 'A'.repeat(43) };

const matches = (pattern: string, id: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('.*')}$`).test(id);
};

/** Whether a namespace may have a client with this id. Ids that begin with its own name and a dot are always allowed. */
export function mayClaim(namespace: string, id: string, { claims }: NamespaceRules): boolean {
  const patterns = [...(claims.get(namespace) ?? []), ...(claims.get('*') ?? []), `${namespace}.*`];
  return patterns.some((pattern) => matches(pattern, id));
}

type Policy = (resource: ClientResource, rules: NamespaceRules) => Finding | undefined;

const idIsAllowed: Policy = (resource, rules) => {
  const { namespace } = resource.metadata;
  const id = clientIdOf(resource);
  if (mayClaim(namespace, id, rules)) return undefined;
  return missing(
    'ClientIdNotAllowed',
    `The namespace ${namespace} must not have the client id ${id}. Use an id that begins with "${namespace}.", or leave spec.id out. GATEHOUSE_OPERATOR_CLAIMS of the operator allows other ids.`,
  );
};

const firstPartyIsAllowed: Policy = ({ metadata: { namespace }, spec }, { firstParty }) => {
  if (spec.firstParty !== true || firstParty.includes(namespace) || firstParty.includes('*'))
    return undefined;
  return missing(
    'FirstPartyNotAllowed',
    `The namespace ${namespace} must not have first-party clients: remove spec.firstParty. GATEHOUSE_OPERATOR_FIRST_PARTY of the operator lists the namespaces that may.`,
  );
};

const noReferences: Policy = ({ spec }) => {
  const secrets = Array.isArray(spec.secrets) ? spec.secrets : [];
  const refers = secrets.some((secret) => typeof secret === 'object' && secret !== null && 'ref' in secret);
  if (!refers) return undefined;
  return missing(
    'InvalidSpec',
    'spec.secrets must hold digests only (sha256): name a Secret with spec.secretRef.',
  );
};

const policies = [idIsAllowed, firstPartyIsAllowed, noReferences];

/** Decides whether the spec of a resource may be a client. It looks at this resource only. */
export function accept(resource: ClientResource, rules: NamespaceRules, check: CheckDocument): Acceptance {
  for (const policy of policies) {
    const finding = policy(resource, rules);
    if (finding !== undefined) return { finding, acceptable: undefined };
  }
  const clientId = clientIdOf(resource);
  const ofOperator = Object.fromEntries(
    Object.entries(resource.spec).filter(([name]) => operatorFieldNames.includes(name)),
  );
  const rest = Object.entries(resource.spec).filter(([name]) => !operatorFieldNames.includes(name));
  const document: Record<string, unknown> = { ...Object.fromEntries(rest), id: clientId };
  const fields = operatorFieldsSchema.safeParse(ofOperator);
  const secret = secretSource(document, fields.data);
  const kept = secret === 'referenced' || secret === 'generated';
  const problems = [
    ...(fields.error?.issues ?? []).map(({ path, message }) => `/${path.join('/')} ${message}`),
    ...check(kept ? { ...document, secrets: [placeholder] } : document),
  ];
  if (fields.data === undefined || problems.length > 0)
    return { finding: missing('InvalidSpec', shortened(problems)), acceptable: undefined };
  const acceptable = { clientId, document, fields: fields.data, secret };
  return { finding: found('Accepted', `The spec is valid for the client ${clientId}.`), acceptable };
}

function secretSource(
  { auth = 'client_secret_basic', secrets }: Record<string, unknown>,
  fields: OperatorFields | undefined,
): Acceptable['secret'] {
  if (!String(auth).startsWith('client_secret')) return 'none';
  if (fields?.secretRef !== undefined) return 'referenced';
  return Array.isArray(secrets) && secrets.length > 0 ? 'digests' : 'generated';
}

const mostProblems = 10;

function shortened(problems: readonly string[]): string {
  const more = problems.length - mostProblems;
  const lines = [...problems.slice(0, mostProblems), ...(more > 0 ? [`and ${more} more`] : [])];
  return `${lines.join('; ')}.`;
}

/** The owner of the client in the store. Clusters that write to the same store have different names. */
export function ownerName(cluster: string | undefined, { namespace, name }: ObjectKey): string {
  return [...(cluster === undefined ? [] : [cluster]), namespace, name].join('/');
}

/** The resource of an owner, or undefined when the owner belongs to another cluster. */
export function resourceOf(cluster: string | undefined, owner: string): ObjectKey | undefined {
  const parts = owner.split('/');
  const of = cluster === undefined ? [] : [cluster];
  if (parts.length !== of.length + 2 || (cluster !== undefined && parts[0] !== cluster)) return undefined;
  const [namespace = '', name = ''] = parts.slice(of.length);
  return { namespace, name };
}
