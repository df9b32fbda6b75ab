import { errors } from 'oidc-provider';
import { deviceCodeGrant } from '../../lib/device-code-grant.ts';
import type { TokenGrant } from './grant.ts';
import { requiredParameter } from './parameter.ts';

/**
 * The device grant (RFC 8628 §3.4). The library's, but a device that asks more often than it may is told to slow down
 * (§3.5). That is said only while nobody has decided: then the answer is there for whoever asks.
 */
export function createDeviceCodeGrant(deps: {
  /** Counts a question about this code. True when it came too soon after the others. */
  isTooSoon(deviceCode: string): Promise<boolean>;
}): TokenGrant {
  return {
    name: deviceCodeGrant,
    parameters: ['device_code'],
    handler: (_provider, steps) => async (ctx) => {
      const deviceCode = requiredParameter(ctx, 'device_code');
      try {
        await steps.deviceCode(ctx);
      } catch (error) {
        if (error instanceof errors.AuthorizationPending && (await deps.isTooSoon(deviceCode)))
          throw new errors.SlowDown('the device asks too often: wait 5 seconds longer between two tries');
        throw error;
      }
    },
  };
}
