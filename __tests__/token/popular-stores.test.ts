import { createCache } from 'cache-manager';
import Keyv from 'keyv';

import type { TokenStore } from '../../src';
import { openProcess, request, scriptedBipsync, sourcesOf, storeFailures } from './support';

const shared: [name: string, open: () => TokenStore][] = [
  ['Keyv', () => new Keyv()],
  ['cache-manager', () => createCache()],
  ['cache-manager on a Keyv', () => createCache({ stores: [new Keyv({ namespace: 'tokens' })] })],
];

test.each(shared)('%s shares a token, and a refused one does not come back', async (_name, open) => {
  const store = open();
  const bipsync = scriptedBipsync();
  const [one, other] = [openProcess(store, bipsync), openProcess(store, bipsync)];
  await request(one);
  await request(other);
  expect(sourcesOf(other.events)).toEqual(['store']);
  bipsync.revoke();
  await request(other);
  await request(one);
  expect(bipsync.minted).toBe(2);
  expect([...one.sent, ...other.sent].filter((sent) => sent === 'Bearer token-2')).toHaveLength(2);
  expect([...storeFailures(one.events), ...storeFailures(other.events)]).toEqual([]);
});

test('Keyv forgets a stored token when its life is over', async () => {
  const store = new Keyv();
  const bipsync = scriptedBipsync(0.05);
  const [one, other] = [openProcess(store, bipsync), openProcess(store, bipsync)];
  await request(one);
  await new Promise((resolve) => setTimeout(resolve, 80));
  await request(other);
  expect(bipsync.minted).toBe(2);
});
