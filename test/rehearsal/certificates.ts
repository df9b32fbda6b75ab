/** Writes the certificates of the three hosts into a folder, and `ca.pem`, the authority that signed them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testCertificate } from '../support/certificate.ts';

const [folder = '.'] = process.argv.slice(2);
const authority = testCertificate({ host: 'authority.example.com' });
writeFileSync(join(folder, 'ca.pem'), authority.cert);
for (const host of ['id.example.com', 'api.example.com', 'lb.example.com']) {
  const { cert, key } = testCertificate({ host, by: authority });
  writeFileSync(join(folder, `${host}.pem`), cert);
  writeFileSync(join(folder, `${host}.key`), key, { mode: 0o600 });
}
