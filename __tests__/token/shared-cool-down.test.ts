import { rejection } from '../support/scripted';
import {
  advance,
  openProcess,
  request,
  scriptedBipsync,
  scriptedStore,
  SECOND,
  storedToken,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

test('in a cool-down the store is read at most once a second, and a token found there ends it', async () => {
  const store = scriptedStore();
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  process.onToken = () => ({ status: 403 });
  await rejection(request(process));
  await tick();
  store.log.length = 0;
  for (let tenths = 0; tenths < 100; tenths += 1) {
    expect((await rejection(request(process)))['code']).toBe('ERR_BIPSYNC_IP_NOT_ALLOWED');
    await advance(100);
  }
  expect([9, 10]).toContain(store.log.length);
  expect(new Set(store.log)).toEqual(new Set(['get']));
  expect(process.tokenRequests).toHaveLength(1);

  store.value = storedToken('token-of-another');
  bipsync.good.add('token-of-another');
  await advance(SECOND);
  await request(process);
  expect(process.sent).toEqual(['Bearer token-of-another']);
  expect(process.tokenRequests).toHaveLength(1);
});
