/** Loops that several senders or consumers run concurrently in one process. */

/** Sends the bodies in batches of ten. */
export async function byTen(
  bodies: readonly string[],
  senders: number,
  send: (ten: readonly string[]) => Promise<unknown>,
): Promise<void> {
  let sent = 0;
  await atOnce(senders, async () => {
    while (sent < bodies.length) {
      const ten = bodies.slice(sent, sent + 10);
      sent += ten.length;
      await send(ten);
    }
  });
}

/** Calls `handle`, which resolves to how many messages it handled, until the total reaches `count`; resolves to the total. */
export async function untilHandled(
  count: number,
  consumers: number,
  handle: () => Promise<number>,
): Promise<number> {
  let handled = 0;
  await atOnce(consumers, async () => {
    while (handled < count) {
      const some = await handle();
      handled += some;
    }
  });
  return handled;
}

async function atOnce(loops: number, loop: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: loops }, loop));
}
