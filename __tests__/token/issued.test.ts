import { createIssued } from '../../src/token/issued';
import type { Token } from '../../src/token/token';

const tokenNamed = (name: number | string): Token => ({ authorization: `Bearer ${name}` }) as Token;

test('the headers of the last 1,000 tokens are known and no others, so that a process does not grow without end', () => {
  const issued = createIssued();
  for (let name = 0; name <= 1000; name += 1) issued.add(tokenNamed(name));
  expect([0, 1, 1000].map((name) => issued.has(`Bearer ${name}`))).toEqual([false, true, true]);
});

test('a token that a server issues again counts as its newest one', () => {
  const issued = createIssued();
  issued.add(tokenNamed('again'));
  for (let name = 0; name < 999; name += 1) issued.add(tokenNamed(name));
  issued.add(tokenNamed('again'));
  issued.add(tokenNamed('another'));
  expect(['again', '0', '1'].map((name) => issued.has(`Bearer ${name}`))).toEqual([true, false, true]);
});
