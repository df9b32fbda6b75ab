import { z } from 'zod';

const shape = /^[^@\p{Cc}\p{Cf}\p{Cs}\p{Z}]+@[^@\p{Cc}\p{Cf}\p{Cs}\p{Z}]+$/u;

/**
 * An email address, kept as it was typed, without white space around it. Only a mail that arrives proves that an
 * address works, so the check is short: one `@`, no spaces, no control or invisible characters, at most 254 characters
 * (RFC 5321 §4.5.3.1.3, without the angle brackets).
 */
export const emailAddress = z
  .string({ error: 'Give an email address, like name@example.com.' })
  .trim()
  .max(254, { error: 'An email address has at most 254 characters.', abort: true })
  .regex(shape, { error: 'That is no email address. Give one like name@example.com.' });
