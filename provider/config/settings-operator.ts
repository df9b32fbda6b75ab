import type { SettingTable } from './setting.ts';
import { matching, value } from './values.ts';

const namespaceName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const words = (text: string) => text.split(',').map((word) => word.trim());

/** A list of namespaces, or `*` for all. Undefined stands for all. */
function namespaces() {
  return value(
    'names of namespaces with commas between, or *',
    (text): { all: boolean; names: string[] } | undefined => {
      const names = words(text);
      if (text.trim() === '*') return { all: true, names: [] };
      return names.every((name) => namespaceName.test(name)) ? { all: false, names } : undefined;
    },
  );
}

/** `shop=shop-*,storefront; platform=*`: client ids by namespace. The namespace `*` stands for all. */
function claims() {
  return value(
    'NAMESPACE=ID,ID;NAMESPACE=ID, with client ids that may contain *',
    (text): ReadonlyMap<string, readonly string[]> | undefined => {
      const found = new Map<string, string[]>();
      for (const part of text.split(';').map((entry) => entry.trim())) {
        if (part === '') continue;
        const [namespace = '', ids = '', ...rest] = part.split('=').map((side) => side.trim());
        const patterns = words(ids);
        const isNamespace = namespace === '*' || namespaceName.test(namespace);
        const arePatterns = patterns.every((pattern) => /^[A-Za-z0-9._*-]{1,128}$/.test(pattern));
        if (!isNamespace || !arePatterns || rest.length > 0) return undefined;
        found.set(namespace, [...(found.get(namespace) ?? []), ...patterns]);
      }
      return found;
    },
  );
}

/** Settings of `gatehouse operator`. */
export const operatorSettings = {
  operatorNamespaces: {
    name: 'GATEHOUSE_OPERATOR_NAMESPACES',
    description:
      'The namespaces whose `OIDCClient` resources count. Unset, only its own namespace counts. The operator needs rights in each of them; `*` needs them in the whole cluster.',
    schema: namespaces(),
    example: 'shop,payments',
  },
  operatorClaims: {
    name: 'GATEHOUSE_OPERATOR_CLAIMS',
    description:
      'Which client ids a namespace may use besides those that begin with its name and a dot, which it may always use. `*` in an id stands for any text; the namespace `*` stands for all.',
    schema: claims(),
    default: { text: 'none', from: () => '' },
    example: 'shop=shop-*,storefront;platform=*',
  },
  operatorFirstParty: {
    name: 'GATEHOUSE_OPERATOR_FIRST_PARTY',
    description:
      'The namespaces that may have first-party clients. Such a client gets the roles of people without a consent page.',
    schema: value('names of namespaces with commas between, or *', (text): readonly string[] | undefined => {
      const names = text === '' ? [] : words(text);
      return names.every((name) => name === '*' || namespaceName.test(name)) ? names : undefined;
    }),
    default: { text: 'none', from: () => '' },
    example: 'platform',
  },
  operatorLease: {
    name: 'GATEHOUSE_OPERATOR_LEASE',
    description:
      'The name of the Lease, in the namespace of the operator, by which one of several operators does the work.',
    schema: matching('the name of a Lease', /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/),
    default: 'gatehouse-operator',
  },
  operatorCluster: {
    name: 'GATEHOUSE_OPERATOR_CLUSTER',
    description:
      'A name of this cluster. Required if operators of several clusters write to one database: otherwise each deletes the clients of the others.',
    schema: matching('1 to 63 letters, digits or -', /^[A-Za-z0-9-]{1,63}$/),
    example: 'eu-central-1-blue',
  },
} satisfies SettingTable;
