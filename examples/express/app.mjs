import express from 'express';

import { answerBipsyncErrors } from './bipsync-errors.mjs';

/** `bipsync` is an axios instance with the plugin. */
export function createApp(bipsync) {
  const app = express();
  app.get('/content-types', async (_request, response) => {
    const { data } = await bipsync.get('/v1/contenttype');
    response.json(data.results);
  });
  app.use(answerBipsyncErrors);
  return app;
}
