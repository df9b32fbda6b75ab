const newline = 0x0a;

/**
 * Gives the lines of a stream of bytes, without line ends, in bounded memory. A line of more than `longest` bytes is
 * cut to `longest` + 1 bytes, so that the reader can detect that it was too long. Only \n ends a line: JSON may contain
 * U+2028, where Node's readline would also end a line.
 */
export async function* textLines(
  chunks: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  const keep = (piece: Uint8Array) => {
    const kept = piece.subarray(0, longest + 1 - length);
    length += kept.length;
    if (kept.length > 0) pieces.push(kept);
  };
  const take = () => {
    const line = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    pieces = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
