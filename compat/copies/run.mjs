/**
 * The built package on instances of other copies of axios, from ESM and from CommonJS, and with undici's dispatchers.
 *
 * Usage: node run.mjs. `run.sh <tarball>` installs first.
 */
import { createRequire } from 'node:module';

import { createChecks } from '../checks.mjs';
import { checkBuild } from './build.mjs';
import { checkCopy } from './copy.mjs';
import { checkDispatchers } from './dispatchers.mjs';
import { startBipsync, startProxy, startTlsFront } from './servers.mjs';

const require = createRequire(import.meta.url);
for (const name of Object.keys(process.env)) if (/proxy/i.test(name)) delete process.env[name];

const plugins = {
  ESM: { ...(await import('axios-bipsync-auth')), ...(await import('axios-bipsync-auth/stores')) },
  CommonJS: { ...require('axios-bipsync-auth'), ...require('axios-bipsync-auth/stores') },
};
const copies = [];
for (const name of ['axios-0.27', 'axios-1.0', 'axios-1.6', 'axios-1.12', 'axios']) {
  const axios = { ESM: (await import(name)).default, CommonJS: require(name) };
  copies.push({ name, by: 'CommonJS', axios: axios.CommonJS });
  // Version 0.27 is the same object by both.
  if (axios.ESM !== axios.CommonJS) copies.push({ name, by: 'ESM', axios: axios.ESM });
}

const bipsync = await startBipsync();
const other = await startBipsync();
const front = await startTlsFront(bipsync);
const proxy = await startProxy(front.port);
const world = { bipsync, other, front, proxy };
const { check, finish } = createChecks();

const forget = () => [bipsync, other, proxy].forEach((server) => server.forget());

/** Checks whose servers remember nothing of the one before. */
const checksOf = (prefix) => ({
  forget,
  check: (what, run) =>
    check(`${prefix}: ${what}`, () => {
      forget();
      return run();
    }),
});

for (const [kind, plugin] of Object.entries(plugins)) {
  const own = copies.find(({ name, by }) => name === 'axios' && by === kind);
  await checkBuild({ ...world, kind, plugin, axios: own.axios, ...checksOf(`plugin by ${kind}`) });
  for (const copy of copies) {
    const isOwn = copy === own;
    const about = `plugin by ${kind}, axios ${copy.axios.VERSION} by ${copy.by}${isOwn ? ' (its own)' : ''}`;
    await checkCopy({ ...world, plugin, ...copy, isOwn, own: own.axios, ...checksOf(about) });
  }
  for (const version of ['undici-6', 'undici-7']) {
    const undici = require(version);
    await checkDispatchers({
      ...world,
      plugin,
      undici,
      axios: own.axios,
      ...checksOf(`plugin by ${kind}, ${version}`),
    });
  }
}

for (const server of Object.values(world)) server.close();
finish();
