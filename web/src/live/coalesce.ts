// Many reasons to read something anew, few readings.

/**
 * The returned function has `read` called at once, but never twice within `rest` milliseconds and never while it
 * still runs. Whoever asks in between is served by one later call.
 */
export function coalesced(read: () => Promise<unknown>, rest = 250): () => void {
  let busy = false;
  let asked = false;
  const run = async () => {
    busy = true;
    asked = false;
    const pause = new Promise((resolve) => setTimeout(resolve, rest));
    // How it failed is for `read` to show; the next reason must find the way open again.
    await Promise.resolve()
      .then(read)
      .catch(() => {});
    await pause;
    busy = false;
    if (asked) void run();
  };
  return () => {
    if (busy) asked = true;
    else void run();
  };
}
