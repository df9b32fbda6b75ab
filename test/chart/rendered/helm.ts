import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments, stringify } from 'yaml';

// biome-ignore lint/suspicious/noExplicitAny: a test reads deep into objects whose types it does not declare.
export type Tree = Record<string, any>;

export interface Rendered {
  status: number | null;
  objects: Tree[];
  text: string;
  error: string;
}

/** `helm template` with these values over those of a file in `ci/`. */
export function render(ci: 'small' | 'large' | 'gateway', values: Tree = {}, ...args: string[]): Rendered {
  return renderFile(`charts/gatehouse/ci/${ci}-values.yaml`, values, ...args);
}

export function renderFile(file: string, values: Tree, ...args: string[]): Rendered {
  const { HELM: helm } = process.env;
  if (helm === undefined) throw new Error('Run `make check-chart`: it finds Helm and sets HELM.');
  const options = ['--namespace', 'login', '--kube-version', '1.37.0', '--values', file, '--values', '-'];
  const { stdout, stderr, status } = spawnSync(
    helm,
    ['template', 'gatehouse', 'charts/gatehouse', ...options, ...args],
    { input: stringify(values), encoding: 'utf8' },
  );
  const objects =
    status === 0 ? parseAllDocuments(stdout).map((document) => document.toJS() as Tree | null) : [];
  return { status, objects: objects.filter((object) => object !== null), text: stdout, error: stderr };
}

/** The objects of a kind, by the end of their name. */
export function find({ objects, error }: Rendered, kind: string, end = ''): Tree {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(end));
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${end}. ${error}`);
  return found[0] as Tree;
}

/** The pod templates of all objects, with the name of their object. */
export function podsOf({ objects }: Rendered): { name: string; spec: Tree; metadata: Tree }[] {
  return objects.flatMap((object) => {
    const name = `${object.kind}/${object.metadata.name}`;
    if (object.kind === 'Pod') return [{ name, spec: object.spec, metadata: object.metadata }];
    const template = object.spec?.template ?? object.spec?.jobTemplate?.spec?.template;
    return template === undefined ? [] : [{ name, spec: template.spec, metadata: template.metadata }];
  });
}

export const environmentOf = (container: Tree): Record<string, string> =>
  Object.fromEntries(
    (container.env ?? []).map((entry: { name: string; value: string }) => [entry.name, entry.value]),
  );

export const ciValues = (ci: string): Tree =>
  parse(readFileSync(`charts/gatehouse/ci/${ci}-values.yaml`, 'utf8'));
