/**
 * Which folder of src may import which (docs/architecture.md). What is not listed is not allowed, type-only imports included,
 * so a new folder must be added here first. `npm run check:imports` reads this file.
 */
const leaves = ['axios', 'errors', 'events', 'values'];
const publicParts = ['index', 'errors', 'options'];

const mayImport = {
  index: ['install', 'request', 'token', 'options', ...leaves],
  install: ['request', 'token', 'options', ...leaves],
  request: ['token', 'options', ...leaves],
  token: ['options', ...leaves],
  options: leaves,
  axios: ['values'],
  events: ['errors'],
  errors: ['values'],
  values: [],
  stores: [...publicParts, 'values'],
  nestjs: publicParts,
  // check names the proxy that axios takes.
  cli: [...publicParts, 'axios', 'testing', 'values'],
  // Testing shares no code with the rest, so that it cannot share a mistake either.
  testing: [],
};

/** A part is a folder of src, or a file in src. */
const part = (name) => `^src/${name}(/|\\.ts$)`;
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})/`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'No file may lead back to itself, type-only imports included.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  allowedSeverity: 'error',
  allowed: [
    ...Object.entries(mayImport).map(([name, others]) => ({
      from: { path: part(name) },
      to: { path: [name, ...others].map(part) },
    })),
    { from: { path: '^src/' }, to: { dependencyTypes: ['core'] } },
    { from: { path: '^src/' }, to: { path: packages('axios') } },
    { from: { path: part('nestjs') }, to: { path: packages('@nestjs', 'rxjs') } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types'],
    },
  },
};
