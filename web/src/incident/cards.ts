// The role cards: five lines for whoever just took a role. After the chapter "Managing Incidents".
import type { RolePath } from '../api/types';

interface Card {
  opening: string;
  lines: [string, string, string, string, string];
}

const CARDS: Record<string, Card> = {
  command: {
    opening: 'You keep the whole in view.',
    lines: [
      'Say it out loud: you have command. Everybody should know it without asking.',
      'Give roles away. Whatever you have not given to anybody is yours.',
      'Do not debug. Ask, decide, and let operations do the work.',
      'Clear what stops the others. They bring roadblocks to you.',
      'When you tire, hand over. Stay until the other says “I have command”.',
    ],
  },
  operations: {
    opening: 'Yours are the only hands that change things.',
    lines: [
      'Stop the bleeding first; the cause can wait until service is back.',
      'Nobody outside operations changes a service. Say so, kindly, when somebody does.',
      'One change at a time, each announced before and with its way back known.',
      'Say what you are doing now, so that the commander need not ask.',
      'When it is too much for one, open a role under yours and give it away.',
    ],
  },
  communications: {
    opening: 'You are the public face.',
    lines: [
      'Send a first word soon, even if it is “we know, and we are on it”.',
      'Always name when the next word comes, and keep that time.',
      'Say what people see and what they can do, without guessing at causes.',
      'Keep the common picture true: summary, status, who does what.',
      'Answer the questions from outside, so that the others can work.',
    ],
  },
  planning: {
    opening: 'You take the longer view.',
    lines: [
      'File the bugs now, while everybody remembers.',
      'Note what differs from normal, so that all of it is put back afterwards.',
      'Watch the clock for people: dinner, rest, and who comes next.',
      'Prepare the handoff before the commander is tired.',
      'Write down what was tried and when: the postmortem starts today.',
    ],
  },
};

/** A role under another has the card of its duty. */
export function cardOf(role: RolePath): Card | undefined {
  return CARDS[role.split('/')[0] ?? role];
}
