// The shared worker: one event stream for all tabs of this browser, because HTTP/1.1 allows six connections.
import { StreamReader, type Told } from './reader';

/** What a tab asks for. */
export type Asked = { ask: 'open'; person: string } | { ask: 'hurry' } | { ask: 'close' };

const tabs = new Set<MessagePort>();
let person: string | null = null;

const reader = new StreamReader((told: Told) => {
  for (const tab of tabs) tab.postMessage(told);
});

function open(tab: MessagePort, who: string): void {
  tabs.add(tab);
  if (person !== who) {
    // Somebody else signed in, in whichever tab: what they may see is not what was read until now.
    reader.stop(true);
    person = who;
  } else {
    // This tab may have read its view before it was known here.
    tab.postMessage({ tell: 'state', state: reader.state, seen: reader.seen } satisfies Told);
    if (reader.state === 'live') tab.postMessage({ tell: 'gap' } satisfies Told);
  }
  reader.start();
}

function close(tab: MessagePort): void {
  tabs.delete(tab);
  if (tabs.size > 0) return;
  reader.stop(true);
  person = null;
}

addEventListener('connect', (event) => {
  const tab = (event as MessageEvent).ports[0];
  if (!tab) return;
  tab.onmessage = ({ data }: MessageEvent<Asked>) => {
    if (data.ask === 'open') open(tab, data.person);
    else if (data.ask === 'hurry') reader.hurry();
    else close(tab);
  };
});
