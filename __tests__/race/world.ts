import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type * as fc from 'fast-check';

import { type BipsyncAuth, installBipsyncAuth, isBipsyncAuthError } from '../../src';
import { responseTo } from '../support/scripted';
import { createRules, type Issued, marginOf, type Moment, type Outcome, windowOf } from './rules';
import type { Action, ApiAnswer, Scenario, TokenAnswer } from './scenario';

const HOME = 'https://acme-api.bipsync.com';
const ELSEWHERE = 'https://elsewhere.example';
const MAX_STEPS = 2000;

const moment = (): Moment => ({ wall: Date.now(), monotonic: performance.now() });

/** Everything that can run without time passing: the microtasks, and the end of the turn. */
export const flush = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * playScenario runs the plugin on an axios whose network answers when the scheduler says so, on clocks of its own, and
 * resolves to the rules that were broken, with what led to it. Fake timers must be installed, `setImmediate` left out.
 */
export async function playScenario(
  scheduler: fc.Scheduler,
  { actions, tokenAnswers, depths }: Scenario,
): Promise<string | undefined> {
  const rules = createRules(moment);
  const { calls } = rules;
  const controllers: AbortController[] = [];
  const remainingTokenAnswers = [...tokenAnswers];
  const remainingDepths = [...depths];
  let unsettledTokens = 0;
  let isEjected = false;

  const api = axios.create({
    adapter: (config) => (config.url === '/v1/oauth/token' ? tokenEndpoint(config) : apiEndpoint(config)),
  });
  const auth: BipsyncAuth = installBipsyncAuth(api, {
    baseURL: HOME,
    clientId: 'the-client',
    clientSecret: 'the-secret',
    teamId: 'a',
  });

  /** Answers when the scheduler says so, or ends as axios's adapters do when the request is aborted. */
  function answerLater(
    config: InternalAxiosRequestConfig,
    label: string,
    answer: () => AxiosResponse | Error,
  ): Promise<AxiosResponse> {
    const signal = config.signal as AbortSignal | undefined;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(new axios.CanceledError(undefined, config));
      signal?.addEventListener('abort', abort);
      void scheduler.schedule(Promise.resolve(), label).then(() => {
        if (signal?.aborted) return;
        signal?.removeEventListener('abort', abort);
        const outcome = answer();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  function tokenEndpoint(config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    if (config.baseURL !== HOME) rules.violations.push(`a token request goes to ${String(config.baseURL)}`);
    const key = new URLSearchParams(String(config.data)).get('scope')?.slice('team_'.length) ?? '';
    rules.tokenRequested(key, config.signal as AbortSignal);
    return answerLater(config, `token answer for ${key}`, () => {
      const answer = remainingTokenAnswers.shift() ?? { kind: 'token', expiresIn: 3600, sameAgain: false };
      return tokenResponse(config, answer, rules.tokenAnswered(key, config.signal as AbortSignal, answer));
    });
  }

  function apiEndpoint(config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    const call = calls[Number(config.params)]!;
    // As axios's own adapters do.
    if ((config.signal as AbortSignal).aborted)
      return Promise.reject(new axios.CanceledError(undefined, config));
    const authorization = config.headers.get('Authorization') ?? undefined;
    const token = rules.apiRequested(call, authorization?.toString().replace(/^Bearer /, ''));
    const attempt = call.attempts.length - 1;
    return answerLater(config, `answer to ${call.id}`, () => {
      const planned = call.answers[Math.min(attempt, 1)]!;
      const answer = planned === 'honest' && token?.revoked ? '401' : planned;
      rules.apiAnswered(call, attempt, answer);
      return apiResponse(config, answer, attempt);
    });
  }

  function perform(action: Action): void | Promise<void> {
    switch (action.kind) {
      case 'request':
        send(action);
        return;
      case 'get token': {
        const settled = rules.tokenWanted(action.team);
        unsettledTokens += 1;
        auth
          .getToken({ teamId: action.team })
          .catch((error: unknown) => {
            if (!isBipsyncAuthError(error)) rules.violations.push(`getToken fails with ${String(error)}`);
          })
          .finally(() => {
            settled();
            unsettledTokens -= 1;
          });
        return;
      }
      case 'pass':
        return pass(action.ms);
      case 'pass until':
        return pass(msUntil(action) + action.offsetMs);
      case 'jump':
        return jump(action.ms);
      case 'revoke':
        rules.revoked();
        return;
      case 'invalidate':
        rules.invalidated();
        auth.invalidate();
        return;
      case 'cancel': {
        const call = calls[action.nth % (calls.length || 1)];
        if (!call || call.isSettled) return;
        rules.cancelled(call);
        controllers[call.id]!.abort();
        return;
      }
      case 'eject':
        rules.note('eject');
        isEjected = true;
        auth.eject();
        return;
    }
  }

  function send(plan: Extract<Action, { kind: 'request' }>): void {
    const call = rules.began(plan, !isEjected && plan.route === 'home');
    const controller = new AbortController();
    controllers.push(controller);
    const ends = (outcome: Outcome): void => rules.settled(call, outcome);
    api
      .request({
        method: plan.method,
        url: plan.path,
        // Ejection takes the base URL along.
        baseURL: plan.route === 'elsewhere' ? ELSEWHERE : HOME,
        params: call.id,
        data: plan.oneShotBody ? { pipe: () => undefined } : { n: call.id },
        signal: controller.signal,
        ...(plan.timeoutMs !== undefined && { timeout: plan.timeoutMs }),
        ...(plan.lenient && { validateStatus: () => true }),
        ...(plan.team !== 'a' && { bipsyncAuth: { teamId: plan.team } }),
        ...(plan.route === 'untouched' && { bipsyncAuth: false }),
      })
      .then(
        ({ status, data }: AxiosResponse<unknown>) =>
          ends({ kind: 'response', status, attempt: Number(data) }),
        (error: unknown) => {
          ends(outcomeOf(error));
          if (showsToken(error)) rules.shown(call);
        },
      );
  }

  function msUntil({ landmark }: Extract<Action, { kind: 'pass until' }>): number {
    const { wall, monotonic } = moment();
    if (landmark === 'retry') return (rules.retryAt ?? monotonic) - monotonic;
    const token = rules.latestToken;
    if (!token) return 0;
    const beforeMs = { 'refresh window': windowOf(token) * 0.8, margin: marginOf(token), expiry: 0 }[
      landmark
    ];
    const ageMs = Math.max(wall - token.sentAt.wall, monotonic - token.sentAt.monotonic);
    return token.lifetimeMs - beforeMs - ageMs;
  }

  /** Time passes for both clocks, and stops at every timer on the way. */
  async function pass(ms: number): Promise<void> {
    if (ms <= 0) return;
    await settle();
    rules.note(`${ms} ms pass`);
    let isOver = false;
    setTimeout(() => (isOver = true), ms);
    while (!isOver) {
      jest.advanceTimersToNextTimer();
      await settle();
    }
  }

  async function jump(ms: number): Promise<void> {
    await settle();
    rules.note(`the wall clock jumps by ${ms} ms`);
    jest.setSystemTime(Date.now() + ms);
  }

  async function settle(): Promise<void> {
    await flush();
    rules.quiet();
  }

  /** No time passes between two microtasks, but other code may run there. */
  async function settlePartly(): Promise<void> {
    const depth = remainingDepths.shift() ?? 'all';
    if (depth === 'all') return settle();
    for (let i = 0; i < depth; i += 1) await Promise.resolve();
  }

  const sequence = scheduler.scheduleSequence(
    actions.map((action) => ({ label: action.kind, builder: async () => perform(action) })),
  );
  const isPending = (): boolean => calls.some(({ isSettled }) => !isSettled) || unsettledTokens > 0;
  for (let steps = 0; steps < MAX_STEPS && rules.violations.length === 0; steps += 1) {
    if (scheduler.count() > 0) {
      // `waitNext` would let microtasks run on after the event; how many do is part of the scenario.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      await scheduler.waitOne();
      await settlePartly();
      continue;
    }
    await settle();
    if (scheduler.count() > 0) continue;
    if (jest.getTimerCount() === 0 || (sequence.done && !isPending() && rules.isIdle)) break;
    jest.advanceTimersToNextTimer();
  }
  if (sequence.faulty) rules.violations.push('an action threw');
  if (unsettledTokens > 0) rules.violations.push('getToken never settles');
  if (rules.violations.length === 0) rules.over(jest.getTimerCount());
  return rules.violations.length === 0
    ? undefined
    : `${rules.violations.join('; ')}\n${rules.trace.map((line) => `  ${line}`).join('\n')}`;
}

function showsToken(error: unknown): boolean {
  return axios.isAxiosError(error) && error.config?.headers.has('Authorization') === true;
}

function outcomeOf(error: unknown): Outcome {
  if (isBipsyncAuthError(error)) return { kind: 'auth error', code: error.code };
  if (axios.isCancel(error)) return { kind: 'cancelled' };
  if (!axios.isAxiosError(error)) return { kind: 'other', what: String(error) };
  if (error.response) {
    const { status, data } = error.response as AxiosResponse<unknown>;
    const causeCode = isBipsyncAuthError(error.cause) ? error.cause.code : undefined;
    return { kind: 'http error', status, attempt: Number(data), causeCode };
  }
  if (error.code === 'ECONNABORTED') return { kind: 'timeout' };
  return error.code === 'ECONNRESET' ? { kind: 'network error' } : { kind: 'other', what: String(error) };
}

function tokenResponse(
  config: InternalAxiosRequestConfig,
  answer: TokenAnswer,
  token: Issued | undefined,
): AxiosResponse | Error {
  switch (answer.kind) {
    case 'token':
      return responseTo(config, 200, {
        token_type: 'bearer',
        expires_in: answer.expiresIn,
        access_token: token?.value,
      });
    case 'refusal':
      return responseTo(config, answer.status, { error: answer.status === 400 ? 'invalid_scope' : 'denied' });
    case 'unavailable':
      return responseTo(
        config,
        503,
        '',
        answer.retryAfterS === undefined ? {} : { 'Retry-After': String(answer.retryAfterS) },
      );
    case 'network error':
      return networkError(config);
    case 'rubbish':
      return responseTo(config, 200, '<html></html>');
  }
}

function apiResponse(
  config: InternalAxiosRequestConfig,
  answer: ApiAnswer,
  attempt: number,
): AxiosResponse | Error {
  if (answer === 'network error') return networkError(config);
  const status = answer === 'honest' || answer === 'ok' ? 200 : Number.parseInt(answer, 10);
  const challenge = answer.split(' ')[1];
  const headers: Record<string, string> = challenge
    ? { 'WWW-Authenticate': `Bearer realm="bipsync", error="${challenge}"` }
    : {};
  const response = responseTo(config, status, attempt, headers);
  return config.validateStatus?.(status)
    ? response
    : new axios.AxiosError('refused', 'ERR_BAD_REQUEST', config, {}, response);
}

function networkError(config: InternalAxiosRequestConfig): Error {
  return new axios.AxiosError('socket hang up', 'ECONNRESET', config, {});
}
