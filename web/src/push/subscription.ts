// A browser's subscription with its push service, as this server knows it. Shared by the page and its worker.
import { base64 } from '../passkey/bytes';

/** What the server is told of a browser in which push is turned on. */
export interface Described {
  endpoint: string;
  p256dh: string;
  auth: string;
}

const key = (subscription: PushSubscription, name: PushEncryptionKeyName) => {
  const found = subscription.getKey(name);
  if (!found) throw new Error('a subscription without keys');
  return base64(found);
};

export function described(subscription: PushSubscription): Described {
  const { endpoint } = subscription;
  return { endpoint, p256dh: key(subscription, 'p256dh'), auth: key(subscription, 'auth') };
}

/** The name of the browser at this address: its SHA-256, in hexadecimal digits. */
export async function nameOf({ endpoint }: { endpoint: string }): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether it was made for the server of this public key, and nobody else can use it. */
export function isFor({ options }: PushSubscription, publicKey: string): boolean {
  return options.applicationServerKey !== null && base64(options.applicationServerKey) === publicKey;
}
