/** A line at the bottom of a terminal that shows the progress of a long command. */
export interface ProgressLine {
  show(text: string): void;
  /** Removes the line, so that other lines can be written. */
  clear(): void;
}

/** Creates a progress line. It shows nothing when `stream` is not a terminal. */
export function createProgressLine(
  stream: NodeJS.WritableStream & { isTTY?: boolean },
  { shown }: { shown: boolean },
): ProgressLine {
  const visible = shown && stream.isTTY === true;
  const eraseLine = '\r\u001B[K';
  return {
    show: (text) => {
      if (visible) stream.write(`${eraseLine}${text}`);
    },
    clear: () => {
      if (visible) stream.write(eraseLine);
    },
  };
}
