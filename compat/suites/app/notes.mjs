import { bipsync } from './bipsync.mjs';

export async function titles() {
  const { data } = await bipsync.get('/v1/research');
  return data.results.map(({ title }) => title);
}

export async function create(title) {
  const { data } = await bipsync.post('/v2/research/note', { user: 'user-1', title });
  return data.id;
}
