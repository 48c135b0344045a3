/**
 * CHANGELOG.md is in order: versions newest first, each with a date and a link, and the version of package.json among them.
 *
 *   node scripts/changelog.mjs                    checks that
 *   node scripts/changelog.mjs v1.2.3             also that this tag is the version of package.json, and the newest
 *   node scripts/changelog.mjs v1.2.3 --notes     prints what that version says, for the release notes
 */
import { readFileSync } from 'node:fs';

const tag = process.argv[2];
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const text = readFileSync('CHANGELOG.md', 'utf8');
const [, ...sections] = text.replace(/^\[[^\]]+\]: .*$/gm, '').split(/^## /m);
const releases = sections.map((section) => {
  const [heading, ...body] = section.split('\n');
  const [, name, date] = /^\[(.+?)\](?: - (.+))?$/.exec(heading) ?? [undefined, heading];
  return { name, date, body: body.join('\n').trim() };
});
const dated = releases.filter(({ name }) => name !== 'Unreleased');

const problems = [];
for (const { name, date, body } of dated) {
  if (!/^\d+\.\d+\.\d+/.test(name)) problems.push(`"${name}" is not a version in brackets`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date ?? '')) problems.push(`${name} has no date like 2026-01-31`);
  if (body === '') problems.push(`${name} says nothing`);
}
for (const { name } of releases) {
  if (!text.includes(`\n[${name}]: https://`)) problems.push(`${name} has no link at the end of the file`);
}
const dates = dated.map(({ date }) => date);
if (dates.join() !== dates.toSorted().reverse().join())
  problems.push('the newest version does not come first');
if (!dated.some(({ name }) => name === version)) problems.push(`${version}, of package.json, is missing`);
if (tag && (tag !== `v${version}` || dated[0]?.name !== version)) {
  problems.push(`the tag is ${tag}, package.json has ${version}, the newest entry is ${dated[0]?.name}`);
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `CHANGELOG.md: ${problem}`).join('\n'));
  process.exitCode = 1;
} else {
  console.log(
    process.argv.includes('--notes')
      ? dated[0].body
      : `ok     changelog: ${dated.length} versions, ${version} among them`,
  );
}
