import { expect } from 'chai';
import { Heap, type HeapEntry } from '../../src/brokers/memory/heap.ts';

interface Item {
  readonly number: number;
  readonly visibleAt: number;
  heapEntry: HeapEntry<Item> | undefined;
}

describe('the heap of invisible messages', () => {
  let heap: Heap<Item>;

  beforeEach(() => {
    heap = new Heap();
  });

  function add(number: number, visibleAt: number): Item {
    const item = { number, visibleAt, heapEntry: undefined };
    heap.add(item);
    return item;
  }

  /** Removes the items that become visible by `until`, in order, and returns their numbers. */
  function removeAll(until?: number): number[] {
    const numbers: number[] = [];
    for (let first = heap.first(until); first; first = heap.first(until)) {
      numbers.push(first.number);
      heap.remove(first);
    }
    return numbers;
  }

  it('puts the item that becomes visible first on top; for equal times, the lowest number', () => {
    add(1, 30);
    add(3, 10);
    add(2, 10);
    add(4, 20);
    expect(removeAll()).to.deep.equal([2, 3, 4, 1]);
  });

  it('finds items that become visible up to and including a given time', () => {
    add(1, 10);
    add(2, 20);
    add(3, 21);
    expect(removeAll(9)).to.deep.equal([]);
    expect(removeAll(20)).to.deep.equal([1, 2]);
    expect(heap.size).to.equal(1);
  });

  it('accepts an item that was removed before', () => {
    const item = add(1, 10);
    add(2, 20);
    heap.remove(item);
    expect(heap.first()?.number).to.equal(2);
    heap.add(item);
    expect(heap.size).to.equal(2);
    expect(removeAll()).to.deep.equal([1, 2]);
  });

  it('keeps a thousand items in order while items are added and removed', () => {
    // Visits all numbers below 1,009, a prime, going up and down.
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
