// What a service worker has that a page has not: the compiler knows pages alone.

/** A window of this page's. */
interface Window {
  url: string;
  focus(): Promise<unknown>;
}

interface Worker {
  registration: ServiceWorkerRegistration;
  clients: {
    matchAll(which: { type: 'window'; includeUncontrolled: boolean }): Promise<Window[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
}

/** Something that happens, and how long the browser lets the worker live for it. */
export interface Happening extends Event {
  waitUntil(done: Promise<unknown>): void;
  data?: { json(): unknown } | null;
  notification?: Notification;
  oldSubscription?: PushSubscription | null;
}

/** Something that a page fetches: the worker may answer instead of the network. */
export interface Fetching extends Happening {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

export const worker = self as unknown as Worker;

/** Has the browser let the worker live until `act` is done. */
export function on(name: string, act: (event: Happening) => Promise<unknown>): void {
  addEventListener(name, (event) => (event as Happening).waitUntil(act(event as Happening)));
}
