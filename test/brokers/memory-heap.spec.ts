import { expect } from 'chai';
import { Heap, type Place } from '../../src/brokers/memory/heap.ts';

interface Item {
  readonly number: number;
  readonly visibleAt: number;
  place: Place<Item> | undefined;
}

describe('the heap of invisible messages', () => {
  let heap: Heap<Item>;

  beforeEach(() => {
    heap = new Heap();
  });

  function add(number: number, visibleAt: number): Item {
    const item = { number, visibleAt, place: undefined };
    heap.add(item);
    return item;
  }

  /** The numbers of what becomes visible until `until`, removed in order. */
  function removeAll(until?: number): number[] {
    const numbers: number[] = [];
    for (let first = heap.first(until); first; first = heap.first(until)) {
      numbers.push(first.number);
      heap.remove(first);
    }
    return numbers;
  }

  it('has first what becomes visible first, and of those the lowest number', () => {
    add(1, 30);
    add(3, 10);
    add(2, 10);
    add(4, 20);
    expect(removeAll()).to.deep.equal([2, 3, 4, 1]);
  });

  it('tells what becomes visible until a moment, that moment included', () => {
    add(1, 10);
    add(2, 20);
    add(3, 21);
    expect(removeAll(9)).to.deep.equal([]);
    expect(removeAll(20)).to.deep.equal([1, 2]);
    expect(heap.size).to.equal(1);
  });

  it('takes an item again that was removed', () => {
    const item = add(1, 10);
    add(2, 20);
    heap.remove(item);
    expect(heap.first()?.number).to.equal(2);
    heap.add(item);
    expect(heap.size).to.equal(2);
    expect(removeAll()).to.deep.equal([1, 2]);
  });

  it('keeps the order of a thousand, whichever are removed and whatever is added meanwhile', () => {
    // A walk through all numbers below 1,009, which is a prime, that goes up and down.
    const visibleAt = (number: number) => ((number * 617) % 1_009) % 100;
    const inOrder = (items: readonly Item[]) =>
      items
        .toSorted((one, other) => one.visibleAt - other.visibleAt || one.number - other.number)
        .map(({ number }) => number);
    let left: Item[] = [];
    for (let number = 0; number < 1_000; number += 1) {
      left.push(add(number, visibleAt(number)));
      if (number % 100 === 99) {
        const leaving = left.filter((item) => (item.number * 31) % 7 < 5);
        for (const item of leaving) heap.remove(item);
        left = left.filter((item) => !leaving.includes(item));
        expect(heap.size).to.equal(left.length);
        expect(heap.first()?.number).to.equal(inOrder(left)[0]);
      }
    }
    expect(left).to.have.length.above(100);
    expect(removeAll()).to.deep.equal(inOrder(left));
  });
});
