import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A resource, as `terraform show -json` has it. */
export interface Resource {
  address: string;
  mode: string;
  type: string;
  values: Record<string, unknown>;
}

interface Module {
  resources?: Resource[];
  child_modules?: Module[];
}

/** What Terraform prints with `-json` about a state. */
export interface TerraformState {
  outputs?: Record<string, { value: unknown }>;
  root_module?: Module;
}

/** What a root has made: its resources, its outputs, and the ids that the emulators gave to resources, by their address. */
export interface Applied {
  resources: Resource[];
  outputs: Record<string, unknown>;
  emulated: Record<string, string>;
}

/** The resources that Terraform manages, without what it only reads. */
export const managed = ({ root_module: root = {} }: TerraformState): Resource[] => {
  const all = ({ resources = [], child_modules: children = [] }: Module): Resource[] => [
    ...resources,
    ...children.flatMap(all),
  ];
  return all(root).filter(({ mode }) => mode === 'managed');
};

const fileOf = (root: string) => join(process.env.REHEARSAL_FOLDER ?? '', `${root}.applied.json`);

/** What a root has made so far. */
export const readApplied = (root: string): Applied =>
  existsSync(fileOf(root))
    ? (JSON.parse(readFileSync(fileOf(root), 'utf8')) as Applied)
    : { resources: [], outputs: {}, emulated: {} };

export const saveApplied = (root: string, applied: Applied): void =>
  writeFileSync(fileOf(root), JSON.stringify(applied, null, 1));

export const forgetApplied = (root: string): void => rmSync(fileOf(root), { force: true });
