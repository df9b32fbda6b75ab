// An MCP client, made of the official SDK. It gets its settings as JSON in its first argument: `server`, the URL of the
// MCP server, `metadataUrl` (its client id, if it has one), `metadata` and `calls`, the tools to call in order. It writes a
// line of JSON for each thing that happens. After `authorize` it reads the code from a line of standard input.
import { createInterface } from 'node:readline';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { server, metadataUrl, metadata, calls } = JSON.parse(process.argv[2]);
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

let clientInformation;
let tokens;
let verifier;
const authProvider = {
  redirectUrl: metadata.redirect_uris[0],
  clientMetadata: metadata,
  ...(metadataUrl && { clientMetadataUrl: metadataUrl }),
  clientInformation: () => clientInformation,
  saveClientInformation: (given) => {
    clientInformation = given;
    tell({ event: 'client', id: given.client_id });
  },
  tokens: () => tokens,
  saveTokens: (given) => {
    tokens = given;
    tell({ event: 'tokens', scope: given.scope, refreshes: given.refresh_token !== undefined });
  },
  redirectToAuthorization: (url) => tell({ event: 'authorize', url: url.href }),
  saveCodeVerifier: (given) => {
    verifier = given;
  },
  codeVerifier: () => verifier,
};

/** Runs `work` on a connection. When it needs a person, finishes the authorization and runs it again. */
async function connected(work) {
  const transport = new StreamableHTTPClientTransport(new URL(server), { authProvider });
  const client = new Client({ name: 'test', version: '1.0.0' });
  try {
    await client.connect(transport);
    return await work(client);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const { value: code } = await lines.next();
    await transport.finishAuth(code);
    return await connected(work);
  } finally {
    await client.close();
  }
}

for (const { name, arguments: given = {}, expired = false } of calls) {
  // As after fifteen minutes: the server refuses the token, and the client has a refresh token.
  if (expired) tokens = { ...tokens, access_token: 'expired' };
  const { content } = await connected((client) => client.callTool({ name, arguments: given }));
  tell({ event: 'called', name, text: content[0].text });
}
process.exit(0);
