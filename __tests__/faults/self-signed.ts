import { generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto';

/** What differs between the certificates. */
interface Form {
  version: Buffer;
  extensions: Buffer;
  until: string;
}

interface Certificate {
  cert: string;
  key: string;
}

/**
 * selfSigned makes a certificate for `localhost` that nobody has reason to trust, and its key: the least X.509 there
 * is (RFC 5280 §4.1, version 1, Ed25519), so that the repository holds no key and the machine needs no openssl.
 */
export function selfSigned(commonName = 'localhost'): Certificate {
  const keys = generateKeyPairSync('ed25519');
  return issue(commonName, keys, commonName, keys);
}

/** expired is a certificate like that of selfSigned, which was valid for a day of the year 2020. */
export function expired(): Certificate {
  const keys = generateKeyPairSync('ed25519');
  return issue('localhost', keys, 'localhost', keys, { ...none, until: '200102000000Z' });
}

/** inspected is what a proxy that inspects TLS presents: a certificate for `localhost`, and those of its own authority. */
export function inspected(authority: string): Certificate {
  const [rootKeys, middleKeys, keys] = [1, 2, 3].map(() => generateKeyPairSync('ed25519'));
  const middleName = `${authority}, for servers`;
  const root = issue(authority, rootKeys!, authority, rootKeys!, mayIssue);
  const middle = issue(middleName, middleKeys!, authority, rootKeys!, mayIssue);
  const { cert, key } = issue('localhost', keys!, middleName, middleKeys!);
  return { cert: cert + middle.cert + root.cert, key };
}

function issue(
  subject: string,
  { publicKey, privateKey }: KeyPairKeyObjectResult,
  issuer: string,
  { privateKey: signingKey }: KeyPairKeyObjectResult,
  { version, extensions, until }: Form = none,
): Certificate {
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from(until)));
  const ed25519 = sequence(oid(1, 3, 101, 112));
  const serial = der(0x02, randomBytes(8).fill(1, 0, 1));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const signed = sequence(
    version,
    serial,
    ed25519,
    named(issuer),
    validity,
    named(subject),
    spki,
    extensions,
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign(null, signed, signingKey)]));
  const certificate = sequence(signed, ed25519, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Version 1 has no extensions. */
const none: Form = { version: Buffer.alloc(0), extensions: Buffer.alloc(0), until: '491231235959Z' };

const named = (commonName: string): Buffer =>
  sequence(set(sequence(oid(2, 5, 4, 3), der(0x0c, Buffer.from(commonName)))));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));

const set = (...parts: Buffer[]): Buffer => der(0x31, Buffer.concat(parts));

/** Of arcs below 128 only. */
const oid = (first: number, second: number, ...arcs: number[]): Buffer =>
  der(0x06, Buffer.from([40 * first + second, ...arcs]));

const yes = der(0x01, Buffer.from([0xff]));

/** Version 3, with the extension that makes an authority (RFC 5280 §4.2.1.9). */
const mayIssue: Form = {
  ...none,
  version: der(0xa0, der(0x02, Buffer.from([2]))),
  extensions: der(0xa3, sequence(sequence(oid(2, 5, 29, 19), yes, der(0x04, sequence(yes))))),
};
