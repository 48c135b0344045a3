/**
 * The repository's Markdown, as a git host shows it: every relative link leads to a file and an anchor that exist, and every
 * npm script and file of scripts/ that a text names exists.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import GithubSlugger from 'github-slugger';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => name !== '' && existsSync(name));
const problems = files.flatMap((file) =>
  [...brokenLinks(file), ...missingScripts(file)].map((problem) => `${file}: ${problem}`),
);
console.log(
  [...problems, `${problems.length === 0 ? 'ok     ' : ''}${files.length} Markdown files`].join('\n'),
);
process.exitCode = problems.length === 0 ? 0 : 1;

function brokenLinks(file) {
  const prose = readFileSync(file, 'utf8')
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)|^\[[^\]]+\]: (\S+)/gm)].map(
    ([, inline, below]) => inline ?? below,
  );
  return links
    .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(file, link))
    .map((link) => `a link to ${link}`);
}

function leadsSomewhere(file, link) {
  const [path, anchor] = link.split('#');
  const target = path === '' ? file : normalize(join(dirname(file), decodeURI(path)));
  if (!existsSync(target)) return false;
  return !anchor || !target.endsWith('.md') || anchors(target).includes(anchor);
}

function anchors(file) {
  const slugger = new GithubSlugger();
  const prose = readFileSync(file, 'utf8').replace(/^```.*?^```/gms, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slugger.slug(plainText(heading)));
}

function plainText(heading) {
  return heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
}

function missingScripts(file) {
  const text = readFileSync(file, 'utf8');
  const scripts = { ...npmScripts('package.json'), ...npmScripts(join(dirname(file), 'package.json')) };
  const named = [...text.matchAll(/\bnpm run (?:-{1,2}\w+ )*([\w:-]+)/g)].map(([, name]) => name);
  const paths = [...text.matchAll(/\bscripts\/[\w./-]+\w/g)].map(([path]) => path);
  return [
    ...named
      .filter((name) => !(name in scripts))
      .map((name) => `npm run ${name}, which package.json does not have`),
    ...paths.filter((path) => !existsSync(path)).map((path) => `${path}, which does not exist`),
  ];
}

function npmScripts(manifest) {
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).scripts : {};
}
