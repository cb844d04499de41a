import { expect } from 'chai';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { setContainer } from '../../src/producer/connections.ts';
import { queueOf, registerQueue } from '../../src/tasks/registry.ts';

describe('the tasks for a message', () => {
  const names = (...sources: string[]) => sources.map((source) => queueOf(source)?.name);

  before(() => {
    registerQueue('letters', 'letters-failed');
    registerQueue('letters.fifo');
    registerQueue('parcels');
    registerQueue('parcels__urgent');
    registerQueue('https://sqs.eu-west-1.amazonaws.com/123/packages');
  });
  afterEach(() => setContainer(undefined));

  it('are those of its queue, or of the queue in which it failed', () => {
    expect(names('letters', 'letters-failed', 'packages')).to.deep.equal([
      'letters',
      'letters',
      'https://sqs.eu-west-1.amazonaws.com/123/packages',
    ]);
    expect(names('postcards')).to.deep.equal([undefined]);
  });

  it('distinguish a FIFO queue from a standard one', () => {
    expect(names('letters.fifo', 'letters__big.fifo', 'letters__big')).to.deep.equal([
      'letters.fifo',
      'letters.fifo',
      'letters',
    ]);
    expect(names('parcels.fifo')).to.deep.equal([undefined]);
  });

  it("are found despite a suffix, even if another queue's name starts the same", () => {
    expect(names('parcels__big', 'parcels__urgent', 'parcels__urgent__big')).to.deep.equal([
      'parcels',
      'parcels__urgent',
      'parcels__urgent',
    ]);
  });

  it("are found despite the container's prefix, even if that is the name of another queue", () => {
    setContainer({ broker: new MemoryBroker(), prefix: 'letters' });
    expect(names('letters__parcels', 'letters__parcels__big', 'letters__letters')).to.deep.equal([
      'parcels',
      'parcels',
      'letters',
    ]);
    expect(names('anna__parcels')).to.deep.equal([undefined]);
  });
});
