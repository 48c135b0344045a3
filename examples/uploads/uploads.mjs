// @ts-check
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';

/**
 * createNote creates a note and attaches a file to it.
 *
 * @param {import('axios').AxiosInstance} bipsync
 * @param {{ user: string, title: string, file: string, contentUrl: string }} note `contentUrl` is where the file's content
 *   goes. Bipsync's public documents do not say it; the emulator has /v1/echo.
 */
export async function createNote(bipsync, { user, title, file, contentUrl }) {
  // JSON and other bodies in memory are sent again after a 401, without any code here.
  const note = await bipsync.post('/v2/research/note', { user, title });
  const { size: length } = await stat(file);
  const attachment = await bipsync.post(`/v2/research/note/${note.data.id}/attachment`, {
    user,
    fileName: basename(file),
    length,
  });
  const content = await sendStream(
    () => createReadStream(file),
    (body) => bipsync.put(contentUrl, body, { headers: { 'Content-Length': length }, maxRedirects: 0 }),
  );
  return { noteId: note.data.id, attachmentId: attachment.data.id, content: content.data };
}

/**
 * sendStream sends a body that can be read once. The plugin does not send it again after a 401, since it would arrive empty; but
 * it gets a new token, so that a second attempt with a new stream works.
 *
 * @template T
 * @param {() => import('node:stream').Readable} open
 * @param {(body: import('node:stream').Readable) => Promise<T>} send
 */
async function sendStream(open, send) {
  try {
    return await send(open());
  } catch (error) {
    const { response, cause } = /** @type {import('axios').AxiosError} */ (error);
    // With a cause, another token would not help.
    if (response?.status !== 401 || cause) throw error;
    return send(open());
  }
}
