// Speaking to the server. Every write carries a request id: when an answer gets lost, the same request is sent
// again with the same id, and is accepted at most once.
import { clock } from './clock.svelte';
import type { Problem } from './types';

/** The server said no, or could not be reached (`status` 0). Its message is for people. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

const UNREACHABLE: Problem = {
  status: 0,
  code: 'unreachable',
  detail:
    'Wardroom cannot be reached from here. Look at your connection and try again; until then, call the others.',
};
/** How often a write whose answer got lost is sent again, and the pauses before, in milliseconds. */
const AGAIN = [300, 1_000, 3_000];

/** Who asks the reader to show anew who they are, when the server wants that; told true when they did. */
export const proof: { ask?: (why: string) => Promise<boolean> } = {};

/** Whom this page means by what it asks, as far as it knows; and looks anew once somebody else is signed in here. */
export const whom: { id: () => string | undefined; look: () => unknown } = {
  id: () => undefined,
  look: () => undefined,
};

async function call(method: string, path: string, body?: unknown, as?: string): Promise<unknown> {
  try {
    return await once(method, path, body, as);
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.code !== 'step_up' || !proof.ask) throw error;
    if (!(await proof.ask(error.message))) throw error;
    return await once(method, path, body, as);
  }
}

async function once(method: string, path: string, body?: unknown, as?: string): Promise<unknown> {
  let response: Response;
  const sent = Date.now();
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(as && { 'wardroom-as': as }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(UNREACHABLE);
  }
  clock.heard(response.headers.get('date'), sent, Date.now());
  if (response.status === 204) return undefined;
  const told: unknown = await response.json().catch(() => null);
  if (response.ok) return told;
  const problem = told as Partial<Problem> | null;
  if (problem?.code === 'somebody_else') whom.look();
  throw new Refused({
    ...problem,
    status: response.status,
    code: problem?.code ?? 'unknown',
    detail: problem?.detail ?? `The server answered ${response.status}. Try again in a moment.`,
  });
}

export async function get<T>(path: string): Promise<T> {
  return (await call('GET', path)) as T;
}

/** `as` is whom it is meant by: another than who is signed in by now, and the server does nothing. */
export async function send<T>(
  method: 'POST' | 'DELETE' | 'PUT',
  path: string,
  body?: unknown,
  as = whom.id(),
): Promise<T> {
  return (await call(method, path, body, as)) as T;
}

/** A random id. The browser's own function for it is missing on plain http. */
export function requestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A command that may be repeated safely: it gets an id of its own, and is sent again if the answer was lost. */
export async function command<T>(path: string, body: Record<string, unknown>): Promise<T> {
  const asked = { request_id: requestId(), ...body };
  // Whoever is here when it is sent again, it stays theirs who asked.
  const as = whom.id();
  for (const pause of AGAIN) {
    try {
      return await send<T>('POST', path, asked, as);
    } catch (error) {
      const again = error instanceof Refused && (error.problem.status === 0 || error.problem.status === 503);
      if (!again) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return await send<T>('POST', path, asked, as);
}
