// Has this browser keep the page: see files.ts. Where a page may have no worker (plain http, a private window of some
// browsers), it opens from the network alone, as any other.

export function install(): void {
  if (import.meta.env.PROD) navigator.serviceWorker?.register('/worker.js').catch(() => {});
}
