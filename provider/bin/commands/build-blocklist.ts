import { createReadStream } from 'node:fs';
import {
  breachDigest,
  type FilterHeader,
  filterPositions,
  filterSize,
  writeFilterHeader,
} from '../../lib/password-filter.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { refuseExisting, writePrivateFile } from '../cli/private-file.ts';
import { createProgressLine } from '../cli/progress-line.ts';

export interface BuildBlocklistOptions {
  out: string;
  /** Passwords that were seen less often are left out. */
  minCount: number;
  /** The list has passwords in plain text instead of digests. */
  plain: boolean;
  force: boolean;
}

/**
 * `gatehouse passwords blocklist build`. Reads the list twice, because the size of the filter follows from the number of
 * its entries. Throws a CommandFailure; in this case no file remains.
 */
export async function buildBlocklist(
  list: string,
  { out, force, ...reading }: BuildBlocklistOptions,
  output: Output,
): Promise<void> {
  if (!force) await refuseExisting(out);
  const progress = createProgressLine(process.stderr, { shown: !output.json });
  try {
    let entries = 0;
    for await (const _ of digestsOf(list, reading)) {
      entries += 1;
      if (entries % 1_000_000 === 0) progress.show(`${entries / 1_000_000} million passwords counted`);
    }
    if (entries === 0)
      throw new CommandFailure('problems', `${list} has no password to use.`, { code: 'empty' });
    const header = filterSize(entries);
    const bits = await fill(header, digestsOf(list, reading), (done) =>
      progress.show(`${Math.floor((100 * done) / entries)} % written`),
    );
    await writePrivateFile(out, chunks(writeFilterHeader(header), bits), { replace: force });
    progress.clear();
    const bytes = header.bits / 8;
    output.result(
      { file: out, passwords: entries, bytes },
      `${out} holds ${entries} passwords in ${(bytes / 1_000_000).toFixed(1)} MB. Name it in GATEHOUSE_PASSWORD_BLOCKLIST.`,
    );
  } finally {
    progress.clear();
  }
}

async function fill(
  { bits: size }: FilterHeader,
  digests: AsyncIterable<Buffer>,
  show: (done: number) => void,
): Promise<Buffer> {
  const bits = Buffer.alloc(size / 8);
  let done = 0;
  for await (const digest of digests) {
    for (const position of filterPositions(digest, size)) {
      const byte = Math.floor(position / 8);
      bits[byte] = (bits[byte] ?? 0) | (1 << (position % 8));
    }
    done += 1;
    if (done % 1_000_000 === 0) show(done);
  }
  return bits;
}

async function* chunks(header: Buffer, bits: Buffer): AsyncGenerator<Uint8Array> {
  yield header;
  const step = 1 << 20;
  for (let start = 0; start < bits.length; start += step) yield bits.subarray(start, start + step);
}

/** Gives the digests of all entries that count. Throws a CommandFailure for a line that is no entry. */
async function* digestsOf(
  list: string,
  { minCount, plain }: Pick<BuildBlocklistOptions, 'minCount' | 'plain'>,
): AsyncGenerator<Buffer> {
  let number = 0;
  for await (const line of linesOf(list)) {
    number += 1;
    if (line === '') continue;
    if (plain) {
      yield breachDigest(line.normalize('NFC'));
      continue;
    }
    const [, digest, count = '1'] = entryForm.exec(line) ?? refuseLine(list, number);
    if (Number(count) >= minCount) yield Buffer.from(digest ?? '', 'hex');
  }
}

const entryForm = /^([0-9a-fA-F]{40})(?::(\d{1,15}))?$/;

/** The message has no part of the line, because the line may be a password. */
function refuseLine(list: string, number: number): never {
  const message = `Line ${number} of ${list} is no SHA-1 digest with a count, such as 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:52. For a list of passwords in plain text, add --plain.`;
  throw new CommandFailure('problems', message, { code: 'invalid_line' });
}

/** A list can have a billion lines, so this cuts whole blocks of the file and not single lines. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const block of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
      const lines = (rest + block).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > longestLine) throw tooLong(path);
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new CommandFailure('problems', `${path} can't be read (${code}).`, { code: 'unreadable' });
  }
  if (rest !== '') yield rest;
}

const longestLine = 1 << 20;

const tooLong = (path: string) =>
  new CommandFailure('problems', `${path} is no list: it has a line of more than a million characters.`, {
    code: 'invalid_line',
  });
