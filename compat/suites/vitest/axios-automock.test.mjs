import axios from 'axios';
import { expect, test, vi } from 'vitest';

vi.mock('axios');
vi.mock('axios-bipsync-auth');

test('an automock of axios answers the request, where the plugin is mocked too', async () => {
  vi.mocked(axios.create).mockReturnValue(axios); // before the application is loaded
  const { titles } = await import('../app/notes.mjs');
  vi.mocked(axios.get).mockResolvedValue({ data: { results: [{ title: 'Q3 review' }] } });
  expect(await titles()).toEqual(['Q3 review']);
});
