import { headerAccess } from './header-access.ts';
import { createContractService } from './service.ts';
import { createTokenAccess } from './token-access.ts';

/** Settings: PORT; CALLER=headers, or CALLER=token with ISSUER and AUDIENCE. */
const { PORT = '8080', CALLER, ISSUER = '', AUDIENCE = '' } = process.env;
if (CALLER !== 'headers' && CALLER !== 'token') throw new Error('Set CALLER to headers or token.');

const access =
  CALLER === 'headers' ? headerAccess : createTokenAccess({ issuer: ISSUER, audience: AUDIENCE });
const app = createContractService(access);
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void app.close());
await app.listen({ host: '127.0.0.1', port: Number(PORT) });
