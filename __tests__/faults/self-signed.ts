import { generateKeyPairSync, sign } from 'node:crypto';

/**
 * selfSigned makes a certificate for `localhost` that nobody has reason to trust, and its key: the least X.509 there
 * is (RFC 5280 §4.1, version 1, Ed25519), so that the repository holds no key and the machine needs no openssl.
 */
export function selfSigned(): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const name = sequence(set(sequence(oid(2, 5, 4, 3), der(0x0c, Buffer.from('localhost')))));
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z')));
  const ed25519 = sequence(oid(1, 3, 101, 112));
  const serial = der(0x02, Buffer.from([1]));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const signed = sequence(serial, ed25519, name, validity, name, spki);
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign(null, signed, privateKey)]));
  const certificate = sequence(signed, ed25519, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

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
