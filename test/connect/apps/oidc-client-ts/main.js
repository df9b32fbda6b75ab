import { UserManager } from 'oidc-client-ts';
import { settings } from './auth.js';

export * from './auth.js';

/** The user after the library renewed the tokens by itself. An access token lives 900 seconds. */
export function renewedByItself() {
  const users = new UserManager({ ...settings, accessTokenExpiringNotificationTimeInSeconds: 898 });
  return new Promise((resolve, reject) => {
    const stopped = (give) => (value) => {
      users.stopSilentRenew();
      give(value);
    };
    users.events.addSilentRenewError(stopped(reject));
    // The first user that is loaded is the one in the storage of the browser.
    users.getUser().then((before) => {
      users.events.addUserLoaded((user) => {
        if (user.access_token !== before.access_token) stopped(resolve)(user);
      });
    }, reject);
  });
}

/** Two tabs that renew at the same time. */
export const renewTwiceAtOnce = () =>
  Promise.all([new UserManager(settings).signinSilent(), new UserManager(settings).signinSilent()]);
