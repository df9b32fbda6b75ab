import { errors } from 'oidc-provider';
import { deviceCodeGrant } from '../../lib/device-code-grant.ts';
import type { OidcServices } from '../services.ts';
import { requiredParameter, type TokenGrant } from './grant.ts';

/**
 * The device grant (RFC 8628 §3.4). It uses the library's grant, and answers `slow_down` (§3.5) to a device that asks
 * too often. It does this only until a person has decided about the code. Afterwards the device gets the decision.
 */
export function createDeviceCodeGrant({ rateLimits }: Pick<OidcServices, 'rateLimits'>): TokenGrant {
  return {
    name: deviceCodeGrant,
    parameters: ['device_code'],
    handler: (_provider, steps) => async (ctx) => {
      const deviceCode = requiredParameter(ctx, 'device_code');
      try {
        await steps.deviceCode(ctx);
      } catch (error) {
        if (error instanceof errors.AuthorizationPending && (await rateLimits.pollsTooSoon(deviceCode)))
          throw new errors.SlowDown('the device asks too often: wait 5 seconds longer between two tries');
        throw error;
      }
    },
  };
}
