// Turning push on and off in this browser, and keeping it on. What is told is shown by worker.ts.
import { command, get, send } from '../api/client';
import type { Reach } from '../api/types';
import { bytes } from '../passkey/bytes';
import { session } from '../session.svelte';
import { described, isFor, nameOf } from './subscription';

/** What keeps this browser from being told anything, whatever its owner chooses. */
export type Obstacle = 'plain' | 'home' | 'missing' | 'blocked';

export function obstacle(): Obstacle | null {
  if (!isSecureContext) return 'plain';
  if ('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window) {
    return Notification.permission === 'denied' ? 'blocked' : null;
  }
  // Apple's phones and tablets have it in what stands on the home screen alone.
  const { userAgent, maxTouchPoints } = navigator;
  const isOne = /iPhone|iPad/.test(userAgent) || (userAgent.includes('Macintosh') && maxTouchPoints > 1);
  return isOne ? 'home' : 'missing';
}

/** The browser could not get an address from its push service. */
export class NoAddress extends Error {}

/** Who turned it on here, and under which name: another person who signs in here is not told by it. */
const NOTE = 'wardroom.push';
const note = {
  read: (): { person: string; id: string } | null => {
    const [person, id] = (localStorage.getItem(NOTE) ?? '').split(' ');
    return person && id ? { person, id } : null;
  },
  write: (person: string, id: string) => localStorage.setItem(NOTE, `${person} ${id}`),
  forget: () => localStorage.removeItem(NOTE),
};

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration('/');
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** An address for this server at the browser's push service: the one that it has, if it is this server's. */
async function subscribe(key: string): Promise<PushSubscription> {
  await navigator.serviceWorker.register('/worker.js');
  const { pushManager } = await navigator.serviceWorker.ready;
  try {
    const before = await pushManager.getSubscription();
    if (before && isFor(before, key)) return before;
    await before?.unsubscribe();
    return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  } catch (error) {
    throw new NoAddress('no address', { cause: error });
  }
}

async function tell(person: string, now: PushSubscription, replaces: string | null): Promise<void> {
  const id = await nameOf(now);
  await command('/me/reach/browsers', { ...described(now), replaces: replaces === id ? null : replaces });
  note.write(person, id);
}

/** The name of this browser, if push is on in it. */
export async function here(reach: Reach): Promise<string | null> {
  if (obstacle() !== null) return null;
  const now = await subscription();
  const id = now && (await nameOf(now));
  return reach.push.browsers.some((one) => one.id === id) ? id : null;
}

/** Asks the reader's browser, and then the server. False when the reader did not want to. */
export async function turnOn(person: string): Promise<boolean> {
  if ((await Notification.requestPermission()) !== 'granted') return false;
  const { push } = await get<Reach>('/me/reach');
  await tell(person, await subscribe(push.key), null);
  return true;
}

async function forget(): Promise<void> {
  note.forget();
  await (await subscription())?.unsubscribe();
}

/**
 * Whoever signs out here leaves nothing on the screen, and no address to which anything more would go. The server has
 * forgotten this browser with the session.
 */
export async function leave(): Promise<void> {
  looked = undefined;
  // The address first: what is on its way to it would be shown to whoever sits there next.
  try {
    if (obstacle() !== 'plain') await forget();
  } finally {
    const registration = await navigator.serviceWorker?.getRegistration('/');
    for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
  }
}

/** Turns push off in one of the reader's browsers, which may be this one. */
export async function turnOff(id: string, isHere: boolean): Promise<void> {
  await send('DELETE', `/me/reach/browsers/${id}`);
  if (isHere) await forget();
}

async function kept(person: string): Promise<void> {
  const known = note.read();
  if (known === null || obstacle() === 'plain') return;
  if (known.person !== person || obstacle() !== null) return await forget();
  const { push } = await get<Reach>('/me/reach');
  const row = push.browsers.find((one) => one.id === known.id);
  const now = await subscription();
  if (now === null && row === undefined) return note.forget();
  if (now !== null && isFor(now, push.key) && (await nameOf(now)) === known.id) {
    if (row === undefined) return await forget();
    if (row.here) return;
  }
  await tell(person, await subscribe(push.key), known.id);
}

/** For whom it was looked after in this page. */
let looked: string | undefined;

/**
 * Keeps push on for whoever turned it on here: under a new address when the browser was given one, for the server's new
 * key when it has one, with the session that they sit at now. What was turned off elsewhere is turned off here too, and
 * so is what somebody else turned on.
 */
export function keep(): void {
  const person = session.me?.person.id;
  if (person === undefined || person === looked) return;
  looked = person;
  // What fails now is tried when the page is opened next; nobody waits for it.
  kept(person).catch(() => {});
}
