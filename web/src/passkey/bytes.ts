// How passkeys are written, and to what they can be bound.

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

export function base64(buffer: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Whether this address is a bare one, which no passkey can be bound to. */
export function isBare(host: string): boolean {
  return host.startsWith('[') || /^[\d.]+$/.test(host);
}
