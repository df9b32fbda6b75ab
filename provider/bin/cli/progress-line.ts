/** One line at the bottom of a terminal that says how far a long command is. */
export interface ProgressLine {
  show(text: string): void;
  /** Makes room for other lines. */
  clear(): void;
}

/** Shows nothing where nobody looks: when `stream` is no terminal. */
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
