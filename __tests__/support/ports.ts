import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 20_000;
const RANGES = 8;
const RANGE = 1250;

/**
 * A free port that is still free after its server has ended, so that the next one can have it, or nobody. It lies below the
 * ports that systems give out, and each of jest's workers has a range of its own.
 */
export async function ownPort(): Promise<number> {
  const worker = Number(process.env['JEST_WORKER_ID'] ?? 1) % RANGES;
  const port = FIRST + worker * RANGE + randomInt(RANGE);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return ownPort();
  }
  server.close();
  await once(server, 'close');
  return port;
}
