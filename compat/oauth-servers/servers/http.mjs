import { once } from 'node:events';
import { createServer } from 'node:http';

/** serve listens on a free loopback port. */
export async function serve(handler) {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export async function readBody(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
