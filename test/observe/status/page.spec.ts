import { expect } from 'chai';
import type { Columns } from '../../../src/observe/status/history.ts';
import { bytes, dollars, duration, number, short, time } from '../../../src/observe/status/page/format.ts';
import { addPoints, noPoints } from '../../../src/observe/status/page/points.ts';

describe('the status page shows', () => {
  it('numbers with few digits', () => {
    expect([0, 4.256, 45.67, 456.7, 1234567].map(number)).to.deep.equal([
      '0',
      '4.26',
      '45.7',
      '457',
      '1,234,567',
    ]);
    expect([9_999, 12_345, 1_234_567].map(short)).to.deep.equal(['9,999', '12.3K', '1.2M']);
  });

  it('durations in two units at most', () => {
    expect([0.0042, 0.5, 1.25, 42, 75, 3_600, 90_000, 200_000].map(duration)).to.deep.equal([
      '4.2 ms',
      '500 ms',
      '1.3 s',
      '42 s',
      '1 m 15 s',
      '1 h',
      '1 d 1 h',
      '2 d 7 h',
    ]);
  });

  it('even small amounts', () => {
    expect([0, 12.345, 0.08, 0.0012, 0.00001].map(dollars)).to.deep.equal([
      '$0.00',
      '$12.35',
      '$0.08',
      '$0.0012',
      'under $0.0001',
    ]);
    expect(bytes(84 * 2 ** 20)).to.equal('84 MB');
  });

  it('times of today without the date', () => {
    const noon = new Date(2026, 10, 21, 12, 5, 9).getTime();
    expect(time(noon, noon + 1_000)).to.equal('12:05:09');
    expect(time(noon, noon + 86_400_000)).to.equal('2026-11-21 12:05:09');
  });
});

describe('the points of the status page', () => {
  /** Points at these seconds, of queues whose values all equal the second. */
  function columns(seconds: readonly number[], ...names: string[]): Columns {
    const queue = {
      visible: seconds,
      inFlight: seconds,
      handled: seconds,
      failed: seconds,
      median: seconds,
      p99: seconds,
      running: seconds,
    };
    const at = seconds.map((second) => second * 1_000);
    return { at, queues: Object.fromEntries(names.map((name) => [name, queue])) };
  }

  it('grow by new points, and never contain a point twice', () => {
    const points = noPoints();
    expect(addPoints(points, columns([5, 10], 'work'))).to.equal(true);
    expect(addPoints(points, columns([5, 10, 15], 'work'))).to.equal(true);
    expect(addPoints(points, columns([10, 15], 'work'))).to.equal(false);
    expect(points.at).to.deep.equal([5, 10, 15]);
    expect(points.queues.work?.handled).to.deep.equal([5, 10, 15]);
  });

  it('have gaps for a queue before it appears, and after it disappears', () => {
    const points = noPoints();
    addPoints(points, columns([5], 'work'));
    addPoints(points, columns([10], 'work', 'later'));
    addPoints(points, columns([15], 'later'));
    expect(points.queues.work?.handled).to.deep.equal([5, 10, null]);
    expect(points.queues.later?.handled).to.deep.equal([null, 10, 15]);
  });

  it('cover one hour', () => {
    const points = noPoints();
    addPoints(
      points,
      columns(
        [...Array(720).keys()].map((step) => 5 + step * 5),
        'work',
      ),
    );
    addPoints(points, columns([3_605], 'work'));
    expect(points.at).to.have.length(720);
    expect([points.at[0], points.at.at(-1)]).to.deep.equal([10, 3_605]);
    expect(points.queues.work?.p99).to.have.length(720);
  });
});
