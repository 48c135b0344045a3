/**
 * The repository's address. Its one place is `repository.url` in package.json; the other files repeat it, and the site
 * reads it from there.
 *
 *   node scripts/repository.mjs                checks that all files repeat that address, and no other
 *   node scripts/repository.mjs https://…      writes another address into all of them
 *   node scripts/repository.mjs --filled-in    also fails while the owner is still the placeholder
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PLACEHOLDER = 'OWNER';
/** Files whose readers need the address. */
const WITH_ADDRESS = ['README.md', 'SECURITY.md', 'CHANGELOG.md', '.github/ISSUE_TEMPLATE/config.yml'];

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name) => readFileSync(root + name, 'utf8');
const manifest = () => JSON.parse(read('package.json'));

/** repositoryUrl is the address as a browser opens it, without a slash at its end. */
export function repositoryUrl() {
  return manifest()
    .repository.url.replace(/^git\+/, '')
    .replace(/\.git$/, '');
}

function problems() {
  const url = repositoryUrl();
  const [owner, name] = new URL(url).pathname.slice(1).split('/');
  const { homepage, bugs } = manifest();
  const found = [];
  if (homepage !== `${url}#readme`) found.push(`package.json: homepage is ${homepage}, not ${url}#readme`);
  if (bugs.url !== `${url}/issues`) found.push(`package.json: bugs.url is ${bugs.url}, not ${url}/issues`);
  for (const file of WITH_ADDRESS) {
    if (!read(file).includes(url)) found.push(`${file}: does not hold ${url}`);
  }
  const anyOwner = new RegExp(`${new URL(url).origin}/[\\w.-]+/${name}(?![\\w-])`, 'g');
  for (const file of textFiles()) {
    const others = (read(file).match(anyOwner) ?? []).filter((address) => address !== url);
    if (others.length > 0) found.push(`${file}: holds ${others[0]}, not ${url}`);
  }
  if (process.argv.includes('--filled-in') && owner === PLACEHOLDER) {
    found.push(
      `package.json: repository.url still has ${PLACEHOLDER}. Run: node scripts/repository.mjs https://…`,
    );
  }
  return found;
}

function move(to) {
  const from = repositoryUrl();
  for (const file of textFiles()) {
    const text = read(file);
    if (text.includes(from)) writeFileSync(root + file, text.replaceAll(from, to));
  }
}

function textFiles() {
  return execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '' && !read(name).includes('\0'));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const address = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
  if (address) move(new URL(address).href.replace(/(\.git)?\/?$/, ''));
  const found = problems();
  console.log(found.length === 0 ? `ok     repository: ${repositoryUrl()}` : found.join('\n'));
  process.exitCode = found.length === 0 ? 0 : 1;
}
