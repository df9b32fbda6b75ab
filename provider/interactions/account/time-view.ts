import type { TimeView } from '../view-models.ts';

/** @param time milliseconds since the epoch */
export function timeView(time: number): TimeView {
  const iso = new Date(time).toISOString();
  return { iso, text: `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` };
}
