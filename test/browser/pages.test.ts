import { afterAll, beforeAll } from '@jest/globals';
import { accountJourneys } from './account-journeys.ts';
import { deviceJourneys } from './device-journeys.ts';
import { policyJourneys } from './policy-journeys.ts';
import { sessionJourneys } from './session-journeys.ts';
import { signInJourneys } from './sign-in-journeys.ts';
import { startWorld, type World } from './world.ts';

/** All journeys share one Gatehouse and one browser. Each journey has its own account and browser profile. */
let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world?.stop());

const theWorld = () => world;
signInJourneys(theWorld);
sessionJourneys(theWorld);
policyJourneys(theWorld);
accountJourneys(theWorld);
deviceJourneys(theWorld);
