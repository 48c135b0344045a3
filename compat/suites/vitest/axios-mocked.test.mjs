import axios from 'axios';
import { expect, test, vi } from 'vitest';

vi.mock('axios', () => {
  const instance = { get: vi.fn() };
  return { default: { create: () => instance } };
});
vi.mock('axios-bipsync-auth');

import { titles } from '../app/notes.mjs';

test('a factory mock of axios answers the request, where the plugin is mocked too', async () => {
  axios.create().get.mockResolvedValue({ data: { results: [{ title: 'Q3 review' }] } });
  expect(await titles()).toEqual(['Q3 review']);
});
