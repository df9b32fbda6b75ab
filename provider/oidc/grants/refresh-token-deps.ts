import type { Provider, RefreshToken } from 'oidc-provider';

export type RefreshTokenPayload = Record<string, unknown>;

/** The refresh token in use. */
export interface CurrentToken {
  state: 'current';
  familyId: string;
  payload: RefreshTokenPayload;
}

/** One that was redeemed before. */
export interface SpentToken {
  state: 'spent';
  familyId: string;
  clientId: string;
  /** Milliseconds since the epoch; undefined when it is longer ago than any grace. */
  spentAt: number | undefined;
  /** Thumbprint of the key that its family is bound to (RFC 9449 §5). */
  jkt?: string | undefined;
  /** What follows it directly, as long as nobody used that. */
  successor?: RefreshTokenPayload;
  answer?: string | undefined;
}

/** One whose issue the store doesn't remember: a Redis that failed over may go back to before it. */
export interface ForgottenToken extends FamilyOfClient {
  state: 'forgotten';
}

/** Whether the account and consent still are as they were read. */
export interface ReadsQuestion {
  /** Sends the question and doesn't wait. */
  ask(): void;
  /** Waits for the answer; throws when they aren't. */
  confirm(): Promise<void>;
}

export interface RefreshTokenGrantDeps<Current extends CurrentToken = CurrentToken> {
  refreshTokens: {
    after(value: string): string;
    find(value: string): Promise<Current | SpentToken | ForgottenToken | undefined>;
    rotate(rotation: {
      from: string;
      found: Current;
      to: string;
      payload: RefreshTokenPayload;
      answer: string;
      answerSeconds: number;
    }): Promise<boolean>;
  };
  /** Milliseconds since the epoch. */
  now(): number;
  /** How long after its use a token's refreshContext gets the same answer (DESIGN §1, G1). */
  graceSeconds(clientId: string): number;
  isSessionAlive(provider: Provider, token: RefreshToken): Promise<boolean>;
  /**
   * Runs `work` on the account and consent as they were read lately, and once more if they changed since. `work` awaits
   * `confirm` before it does anything that stays.
   */
  onRecentReads<T>(work: (question: ReadsQuestion) => Promise<T>): Promise<T>;
  client(id: string): { firstParty: boolean; scopes: readonly string[] } | undefined;
  /**
   * The audience of a token for these scopes: the one asked for, else out of those the family was granted. Throws
   * `invalid_target` or `invalid_scope` when there can be none.
   */
  audience(clientId: string, scopes: ReadonlySet<string>, granted: readonly string[], asked: unknown): string;
  /** Notes that the family is in use and lives as long as this new token; gives what that remembers of it. */
  touchFamily(next: RefreshToken): number;
  /** A spent token came again within the grace, or beside its first use, and what became of it. */
  repeated(family: FamilyOfClient, outcome: RepeatOutcome): void;
  /** A spent token came, at whatever time, from who lacks the key it is bound to: nothing is ended. */
  unproved(family: FamilyOfClient): void;
  /** A token came that the store has forgotten: nothing can be said of it, and nothing is ended. */
  forgotten(family: FamilyOfClient): void;
  /** A spent token came again after the grace: ends its family, and tells. */
  reused(family: FamilyOfClient): Promise<void>;
}

export interface FamilyOfClient {
  familyId: string;
  clientId: string;
}

/**
 * It got the same answer; its successor was used already; the same answer isn't for who asks; or it came beside the first
 * one, whose answer isn't kept any more.
 */
export type RepeatOutcome = 'answered' | 'superseded' | 'refused' | 'lapsed';

/** A refresh token with the fields of ours. */
export type OurRefreshToken = RefreshToken & { familyId: string; tokenVersion: number; sessionSid?: string };
