import { once } from 'node:events';

import KeyvSqlite from '@keyv/sqlite';
import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { encryptedTokenStore } from 'axios-bipsync-auth/stores';
import { Keyv } from 'keyv';

const [{ file, keys, auth }] = await once(process, 'message');
const sqlite = new KeyvSqlite({ uri: `sqlite://${file}`, busyTimeout: 1000 });
// By default Keyv answers as if nothing were stored, and the plugin never hears that its store failed.
const keyv = new Keyv({ store: sqlite, throwOnErrors: true });
keyv.on('error', () => undefined);
let storeFailures = 0;

const api = axios.create();
const handle = installBipsyncAuth(api, {
  ...auth,
  tokenStore: keys ? encryptedTokenStore(keyv, keys) : keyv,
  onEvent({ type }) {
    if (type === 'store-failed') storeFailures += 1;
  },
});

process.on('message', async ({ count, before }) => {
  if (before === 'closeStore') {
    await sqlite.close();
    handle.invalidate();
  }
  const answers = await Promise.allSettled(Array.from({ length: count }, () => api.get('/v1/research')));
  process.send({ ok: answers.filter(({ value }) => value?.status === 200).length, storeFailures });
});
process.send('ready');
