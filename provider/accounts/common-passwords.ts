/**
 * Common passwords that the dictionary leaves out, in lower case: its makers look for such patterns with other means,
 * and it is older than the last years.
 */
const alsoCommon = `
password12345 password1! p@ssword p@ssw0rd1 p@ssword1 p@$$w0rd pa$$word contraseña aa12345678 qwertz123 qwertzuiop
zxcvbnm, letmein! welcome1! changeme123 admin1234 admin12345 admin123456 root1234 toor1234 test12345 test1test guest123
user1234 guitar123 qwerty!@ !@#$%^&* correcthorsebatterystaple
spring2024 summer2024 autumn2024 winter2024 spring2025 summer2025 autumn2025 winter2025 spring2026 summer2026
autumn2026 winter2026 spring2027 summer2027 autumn2027 winter2027
`;

/** Shorter ones are four characters that are repeated, or too short even when they are written twice. */
const shortest = 5;

let dictionary: Promise<ReadonlySet<string>> | undefined;

/**
 * The most frequent passwords of published leaks, in lower case. They are loaded for the first new password, because
 * most processes and commands never need them.
 */
async function loadDictionary(): Promise<ReadonlySet<string>> {
  const { dictionary: lists } = await import('@zxcvbn-ts/language-common');
  const frequent = lists['passwords-common'].filter((entry) => entry.length >= shortest);
  return new Set([...frequent, ...alsoCommon.trim().split(/\s+/)]);
}

/**
 * Whether a password is one of the first that an attacker tries: an entry of the dictionary, an entry or at most four
 * characters written several times, or characters that follow each other. It looks at the whole password, never at a
 * part of it (NIST SP 800-63B-4 §3.1.1.2).
 *
 * @param password in Unicode NFC
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  const characters = [...password.toLowerCase()];
  const unit = repeatedUnit(characters);
  if (unit.length < characters.length && unit.length <= 4) return true;
  if (isSequence(characters)) return true;
  dictionary ??= loadDictionary();
  const entries = await dictionary;
  return entries.has(characters.join('')) || entries.has(unit.join(''));
}

/** The shortest beginning that gives the whole when it is repeated. */
function repeatedUnit(characters: readonly string[]): readonly string[] {
  for (let length = 1; length <= characters.length / 2; length++) {
    const repeats = characters.length % length === 0;
    if (repeats && characters.every((character, index) => character === characters[index % length]))
      return characters.slice(0, length);
  }
  return characters;
}

/** Such as `abcdefgh`, `87654321` and `1234567890123`. */
function isSequence(characters: readonly string[]): boolean {
  const isStep = (step: number) =>
    characters.every((character, index) => {
      const next = characters[index + 1];
      if (next === undefined) return true;
      const [from, to] = [character.codePointAt(0) ?? 0, next.codePointAt(0) ?? 0];
      return to - from === step || (isDigit(character) && isDigit(next) && to - from === -9 * step);
    });
  return isStep(1) || isStep(-1);
}

const isDigit = (character: string) => character >= '0' && character <= '9';
