import { isAxiosError } from 'axios';
import { isBipsyncAuthError } from 'axios-bipsync-auth';

/**
 * An Express error handler. If this application has no token, its own clients cannot do anything about that: they get
 * 503 and when to try again. They never get the 401 of Bipsync, which would make them log in again.
 */
export function answerBipsyncErrors(error, _request, response, next) {
  if (response.headersSent) return next(error);
  const tokenFailure = [error, error?.cause].find(isBipsyncAuthError);
  if (tokenFailure) {
    console.error(`${tokenFailure.code}: ${tokenFailure.message}`);
    const { retryAfterMs } = tokenFailure;
    if (retryAfterMs !== undefined) response.set('Retry-After', String(Math.ceil(retryAfterMs / 1000)));
    return response.status(503).json({ error: 'Bipsync is not available at the moment.' });
  }
  if (isAxiosError(error)) {
    console.error(`Bipsync: ${error.message}`);
    return response.status(502).json({ error: 'Bipsync did not give an answer that can be used.' });
  }
  next(error);
}
