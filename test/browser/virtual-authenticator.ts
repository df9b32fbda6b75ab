import type { CDPSession, Page } from 'playwright-core';

type Protocol = Awaited<ReturnType<typeof readCredentials>>;

const readCredentials = (session: CDPSession, authenticatorId: string) =>
  session.send('WebAuthn.getCredentials', { authenticatorId });

/** A credential as the protocol of the Chrome DevTools has it. */
export type StoredCredential = Protocol['credentials'][number];

export interface VirtualAuthenticator {
  credentials(): Promise<StoredCredential[]>;
  /** Whether the person can verify themselves. If not, a request that needs it fails. */
  setVerified(isVerified: boolean): Promise<void>;
}

export interface AuthenticatorOptions {
  credentials?: readonly StoredCredential[];
}

/** Gives the page an authenticator of the device, as the protocol WebAuthn of the Chrome DevTools defines it. */
export async function addAuthenticator(
  page: Page,
  { credentials = [] }: AuthenticatorOptions = {},
): Promise<VirtualAuthenticator> {
  const session: CDPSession = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  for (const credential of credentials)
    await session.send('WebAuthn.addCredential', { authenticatorId, credential });
  return {
    credentials: async () => (await readCredentials(session, authenticatorId)).credentials,
    setVerified: async (isUserVerified) => {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
  };
}
