/**
 * The plugin in NestJS 12, from CommonJS: Nest itself comes by require(esm), from Node 20.19 on.
 *
 * Usage: node run.cjs. `run.sh <tarball>` installs first.
 */
const libraries = {
  nestAxios: require('@nestjs/axios'),
  nestTesting: require('@nestjs/testing'),
  common: require('@nestjs/common'),
  core: require('@nestjs/core'),
  axios: require('axios'),
  plugin: require('axios-bipsync-auth'),
  pluginNest: require('axios-bipsync-auth/nestjs'),
  testing: require('axios-bipsync-auth/testing'),
  rxjs: require('rxjs'),
};

async function main() {
  const [{ createChecks }, { tell }] = await Promise.all([
    import('../checks.mjs'),
    import('../nest-story.mjs'),
  ]);
  const { check, finish } = createChecks();
  await tell('CommonJS', libraries, check);
  finish();
}

main();
