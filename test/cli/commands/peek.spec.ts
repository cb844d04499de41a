import { expect } from 'chai';
import type { PeekedMessage } from '../../../src/brokers/broker.ts';
import { describeMessage } from '../../../src/cli/commands/peek.ts';

describe('the output of sqs-queues peek', () => {
  const message: PeekedMessage = {
    id: 'id-1',
    body: 'x'.repeat(30),
    sentAt: Date.UTC(2026, 0, 1),
    receiveCount: 1,
    groupId: 'customer 7',
    attributes: {
      kind: { dataType: 'String', stringValue: 'two\nlines' },
      bytes: { dataType: 'Binary', binaryValue: new Uint8Array(3) },
    },
  };

  it('shows everything about a message, on separate lines', () => {
    const now = Date.UTC(2026, 0, 1, 0, 1, 30);
    expect(describeMessage(message, now, 40).split('\n')).to.deep.equal([
      'id-1  sent 2026-01-01T00:00:00.000Z, 1 min 30 s ago  received once  group customer 7',
      '  kind: "two\\nlines"',
      '  bytes: 3 bytes of binary data',
      `  ${'x'.repeat(30)}`,
    ]);
    expect(describeMessage(message, now, 10)).to.match(/ {2}x{10}… \(30 characters; --json shows all\)$/);
  });
});
