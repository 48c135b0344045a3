import { existsSync, readdirSync } from 'node:fs';

import { OptionDefaults } from 'typedoc';

import { repositoryUrl } from './scripts/repository.mjs';
import { loadMarkdown } from './scripts/site/plugin.mjs';

/** Guides in the order in which a newcomer reads them; what is not named here follows, by name. */
const first = ['getting-started', 'migrating', 'nestjs', 'testing', 'errors'].map(
  (name) => `docs/${name}.md`,
);
const guides = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** The site: README as its start page, the guides, and the API reference. `npm run docs` writes it. */
export default {
  name: 'axios-bipsync-auth',
  out: 'site',
  plugin: ['./scripts/site/plugin.mjs'],
  entryPoints: ['src/index.ts', 'src/stores/index.ts', 'src/nestjs/index.ts', 'src/testing/index.ts'],
  projectDocuments: [
    ...first.filter((path) => existsSync(path)),
    ...guides.filter((path) => !first.includes(path)),
    ...['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md'],
  ],
  markdownItLoader: loadMarkdown,
  router: 'site',
  headings: { readme: false },
  groupOrder: ['Guides', 'Modules', 'Project', '*'],
  navigation: { includeGroups: true },
  navigationLinks: { Repository: repositoryUrl() },
  favicon: 'scripts/site/favicon.svg',
  customJs: 'scripts/site/diagrams.js',
  highlightLanguages: [
    ...OptionDefaults.highlightLanguages,
    'sh',
    'diff',
    'dotenv',
    'docker',
    'http',
    'graphql',
  ],
  ignoredHighlightLanguages: ['mermaid'],
  tsconfig: 'tsconfig.docs.json',
  excludeInternal: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  // The plugin turns a link to a file that is no page into a link to the repository, and warns if the file does not exist.
  validation: { invalidPath: false },
};
