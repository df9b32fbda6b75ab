/**
 * The form under which an address is unique and found. Made here and not by SQL `lower`, whose result depends
 * on the database's locale (in "C" it leaves 'É' alone), so that every database agrees; composed (NFC) before
 * and after, as lower case may decompose. Case and composition only: look-alikes stay different.
 *
 * Letters beyond ASCII may fold together (the Kelvin sign is 'k'), so mail always goes to the address stored,
 * never to the one typed. Stored rows hold this function's results: to change it takes a migration.
 */
export function emailKey(email: string): string {
  return email.normalize('NFC').toLowerCase().normalize('NFC');
}
