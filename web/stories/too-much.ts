// A pipeline that goes round in a loop: it tells of more changes within an hour than one teller may.

const AT_ONCE = 100;

/** Tells of changes until the server hears no more of them. */
export async function tooMuch(url: string, token: string): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const events = Array.from({ length: AT_ONCE }, (_, nth) => ({
      specversion: '1.0',
      id: `${round}-${nth}`,
      source: 'https://ci.example.org/search',
      type: 'org.example.deployed',
      data: { service: 'search', what: `deploy v${round}-${nth}`, who: 'a robot' },
    }));
    const answer = await fetch(`${url}/api/v1/changes`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/cloudevents-batch+json',
      },
      body: JSON.stringify(events),
    });
    if (answer.status === 429) return;
    if (!answer.ok) throw new Error(await answer.text());
  }
  throw new Error('it hears of as many as it is told');
}
