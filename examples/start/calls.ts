/** A call that the examples make and print. */
export interface Call {
  /** What the call shows, such as the person whose token it has. */
  who: string;
  method: 'GET' | 'POST';
  /** The address of the gateway. */
  gateway: string;
  path: string;
  token?: string | undefined;
  body?: object;
  expected: number;
  /** Why this is the answer, and which part gave it. */
  because: string;
}

export interface Printer {
  heading(text: string): void;
  /** Makes the call, and prints it with its answer. */
  call(call: Call): Promise<void>;
  line(text: string): void;
  /** The calls whose answer was not the expected one. */
  wrong: readonly string[];
}

export function createPrinter(write: (text: string) => void): Printer {
  const wrong: string[] = [];
  return {
    wrong,
    heading: (text) => write(`\n${text}\n\n`),
    line: (text) => write(`${text}\n`),
    call: async ({ who, method, gateway, path, token, body, expected, because }) => {
      const answer = await fetch(`${gateway}${path}`, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      await answer.arrayBuffer();
      const row = `  ${method.padEnd(5)}${path.padEnd(15)}${who.padEnd(21)}${answer.status}`;
      write(`${row}  ${because}\n`);
      if (answer.status === expected) return;
      wrong.push(row);
      write(`  ^ expected ${expected}\n`);
    },
  };
}
