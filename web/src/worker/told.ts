// Shows what this browser is told, and leads to where it is done. It holds no rules.
import { bytes } from '../passkey/bytes';
import { described, nameOf } from '../push/subscription';
import { type Happening, on, worker } from './scope';

/** What the server says, sealed for this browser. */
interface Told {
  /** What comes later under it stands in its place. */
  id: string;
  line: string;
  help: string;
  /** The page on which it is done. */
  path: string;
  /** There is nothing left to do. */
  done: boolean;
}

/** Whatever came, the browser wants to see something shown for it. */
const UNREAD: Told = {
  id: 'unread',
  line: 'Something waits for you in Wardroom',
  help: 'It could not be read here. Open Wardroom to see it.',
  path: '/',
  done: false,
};

function told(event: Happening): Told {
  try {
    return { ...UNREAD, ...(event.data?.json() as Partial<Told> | undefined) };
  } catch {
    return UNREAD;
  }
}

// A browser that is told something has to show something, or it takes the permission away. So what is done takes the
// place of what it was about, without a sound, and is then put away.
on('push', async (event) => {
  const { id, line, help, path, done } = told(event);
  const { registration } = worker;
  await registration.showNotification(line, {
    body: help,
    tag: id,
    data: path,
    icon: '/icon-192.png',
    silent: done,
    requireInteraction: !done,
  });
  if (!done) return;
  for (const shown of await registration.getNotifications({ tag: id })) shown.close();
});

on('notificationclick', async ({ notification }) => {
  notification?.close();
  const there = new URL(String(notification?.data ?? '/'), location.origin);
  if (there.origin !== location.origin) return;
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find((window) => new URL(window.url).pathname === there.pathname);
  await (open ? open.focus() : worker.clients.openWindow(there.href));
});

// The push service gave this browser another address. If nobody is signed in any more, the page sees to it when
// somebody is.
on('pushsubscriptionchange', async ({ oldSubscription }) => {
  const answer = await fetch('/api/v1/me/reach');
  if (!answer.ok) return;
  const { push } = (await answer.json()) as { push: { key: string; browsers: { id: string }[] } };
  // Whoever is signed in now may be another person, or have turned it off elsewhere.
  const replaces = oldSubscription ? await nameOf(oldSubscription) : null;
  if (!push.browsers.some(({ id }) => id === replaces)) return;
  const subscription = await worker.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(push.key),
  });
  await fetch('/api/v1/me/reach/browsers', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: crypto.randomUUID(), ...described(subscription), replaces }),
  });
});
