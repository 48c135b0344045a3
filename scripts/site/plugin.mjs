/**
 * What the site needs beyond TypeDoc: guides named by their first heading, addresses that are easy to read, the anchors
 * that a git host gives to headings, links to source files, and the library that draws the diagrams.
 */
import { copyFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative } from 'node:path';

import { slug } from 'github-slugger';
import { Converter, KindRouter, RendererEvent, Slugger } from 'typedoc';

import { repositoryUrl } from '../repository.mjs';

const PICTURE = /\.(svg|png|jpe?g|gif|webp)$/;

export function load(app) {
  // One link serves both readers: those of the site and those of the repository.
  Slugger.prototype.serialize = (heading) => slug(heading);

  /** From a document to the path of its page, without `.html`. */
  const pages = new WeakMap();

  app.renderer.defineRouter(
    'site',
    class extends KindRouter {
      getIdealBaseName(reflection) {
        return pages.get(reflection) ?? super.getIdealBaseName(reflection);
      }
    },
  );

  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const path = relative('.', document.project.files.getReflectionPath(document));
    const group = path.startsWith('docs/') ? 'Guides' : 'Project';
    // docs/fleet.md is guides/fleet.html, bench/README.md is project/bench.html.
    const name = basename(path.replace(/(\/README)?\.md$/, ''));
    pages.set(document, `${group}/${name}`.toLowerCase());
    document.frontmatter.group = group;
    document.name = firstHeading(document.content) ?? document.name;
  });

  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const documents = project.documents ?? [];
    for (const parts of [project.readme ?? [], ...documents.map(({ content }) => content)]) {
      parts.forEach((part, position) => {
        if (part.kind !== 'relative-link') return;
        if (part.target === undefined) app.logger.warn(`A page links to ${part.text}, which does not exist`);
        const target = project.files.resolve(part.target, project);
        if (typeof target !== 'string' || PICTURE.test(target)) return;
        parts[position] = { kind: 'text', text: inRepository(target, part.targetAnchor) };
      });
    }
  });

  app.renderer.on(RendererEvent.END, ({ outputDirectory }) => {
    const library = createRequire(import.meta.url).resolve('@mermaid-js/tiny/dist/mermaid.tiny.js');
    copyFileSync(library, join(outputDirectory, 'assets', 'mermaid.js'));
  });
}

/** loadMarkdown makes code in a heading marked-up text: TypeDoc makes anchors and outlines of a heading's text alone. */
export function loadMarkdown(markdown) {
  markdown.core.ruler.push('code-in-headings', codeInHeadings);
}

function codeInHeadings({ tokens, Token }) {
  tokens.forEach(({ type }, position) => {
    if (type !== 'heading_open') return;
    const heading = tokens[position + 1];
    heading.children = heading.children.flatMap((child) => {
      if (child.type !== 'code_inline') return [child];
      const text = Object.assign(new Token('text', '', 0), { content: child.content });
      return [new Token('code_open', 'code', 1), text, new Token('code_close', 'code', -1)];
    });
  });
}

function firstHeading(content) {
  const text = content.map((part) => part.text).join('');
  return /^# (.+)$/m.exec(text)?.[1].replaceAll('`', '');
}

function inRepository(path, anchor) {
  const kind = statSync(path).isDirectory() ? 'tree' : 'blob';
  return `${repositoryUrl()}/${kind}/HEAD/${relative('.', path)}${anchor ? `#${anchor}` : ''}`;
}
