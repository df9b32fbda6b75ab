import { defaultText, renderConfigurationDocs } from '../../config/docs.ts';
import { settingList } from '../../config/schema.ts';
import type { Output } from '../cli/output.ts';

/** `gatehouse config docs`. */
export function printConfigDocs(output: Output): void {
  const settings = settingList.map(({ setting }) => ({
    name: setting.name,
    description: setting.description,
    allowed: setting.schema.description ?? '',
    default: setting.default === undefined ? null : defaultText(setting),
    secret: setting.secret ?? false,
    reference: setting.reference ?? false,
    example: setting.example ?? null,
  }));
  output.result({ settings }, renderConfigurationDocs());
}
