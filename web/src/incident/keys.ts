// What the keyboard and the palette can do in the room.
import type { Command } from '../parts/commands.svelte';
import type { Room } from './room.svelte';

type Tab = 'command' | 'now' | 'timeline';

/** The next or the one before of the entries that are shown; the first when none is marked. */
function step(by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>('.timeline [data-entry]')];
  const at = all.findIndex((entry) => entry === document.activeElement);
  const to = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  to?.focus();
}

/** What the reader would offer first: what the next line names, else the role that they hold. */
function toOffer({ view, me }: Room): string {
  if (view?.next?.do === 'offer_operations') return 'operations';
  if (view?.next?.do === 'answer') return view.next.role;
  return view?.roles.find(({ holder }) => holder?.id === me)?.role ?? 'command';
}

export function commandsOf(room: Room, show: (tab: Tab) => Promise<void>): Command[] {
  const focus = (id: string): void => document.getElementById(id)?.focus();
  const invite: Command = {
    id: 'invite',
    title: 'Invite a guest',
    keys: 'i',
    run: () => (room.panel = { show: 'invite' }),
  };
  return [
    ...(room.view?.may_invite_guests ? [invite] : []),
    { id: 'note', title: 'Write a note', keys: 'n', run: () => focus('composer') },
    {
      id: 'newer',
      title: 'Timeline: up, to the newer entry',
      keys: 'k',
      run: () => void show('timeline').then(() => step(-1)),
    },
    {
      id: 'older',
      title: 'Timeline: down, to the older entry',
      keys: 'j',
      run: () => void show('timeline').then(() => step(1)),
    },
    { id: 'offer', title: 'Offer a role', keys: 'o', run: () => (room.menu = toOffer(room)) },
    {
      id: 'take',
      title: 'Take what is offered to you',
      keys: 't',
      run: () => {
        const next = room.view?.next;
        if (next?.do !== 'take') return;
        if (next.role === 'command') room.panel = { show: 'handoff' };
        else document.querySelector<HTMLElement>('.next .go')?.click();
      },
    },
    {
      id: 'still-true',
      title: 'Say that what is written is still true',
      keys: 'y',
      run: () => {
        if (room.view?.next?.do === 'still_true') document.querySelector<HTMLElement>('.next .go')?.click();
      },
    },
    {
      id: 'put-off',
      title: 'Put off for ten minutes what you could do next',
      keys: 'z',
      run: () => void room.prompting.putOff(),
    },
    {
      id: 'roadblock',
      title: 'Raise a roadblock',
      keys: 'r',
      run: () => void show('now').then(() => focus('roadblock')),
    },
    {
      id: 'evidence',
      title: 'Keep a file as evidence',
      keys: 'v',
      run: () => void show('now').then(() => focus('keep-files')),
    },
    {
      id: 'change',
      title: 'Change severity, phase, command posts',
      run: () => (room.panel = { show: 'change' }),
    },
    { id: 'assume', title: 'Assume command', run: () => (room.panel = { show: 'assume' }) },
    { id: 'briefing', title: 'Read the briefing', keys: 'b', run: () => (room.panel = { show: 'handoff' }) },
    {
      id: 'close',
      title: 'Close what is open beside the room',
      keys: 'Escape',
      run: () => {
        if (room.panel) room.panel = null;
        else if (room.menu) room.menu = null;
        else if (room.card) room.card = null;
        else room.news = null;
      },
    },
  ];
}
