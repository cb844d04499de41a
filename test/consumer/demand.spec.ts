import { expect } from 'chai';
import { type Load, receiveSize } from '../../src/consumer/demand.ts';

describe('how much a receive asks for', () => {
  const load = (given: Partial<Load>): Load => ({
    slots: 1,
    free: 0,
    waiting: 0,
    asked: 0,
    prefetch: 'auto',
    reserve: 0,
    handlingMs: undefined,
    slowestMs: given.handlingMs,
    receiveMs: undefined,
    remaining: Number.POSITIVE_INFINITY,
    ...given,
  });

  it('is what can start at once, as long as nothing is known of the worker', () => {
    expect(receiveSize(load({ free: 1 }))).to.equal(1);
    expect(receiveSize(load({ slots: 10, free: 10 }))).to.equal(10);
    expect(receiveSize(load({ slots: 50, free: 50 }))).to.equal(10);
    expect(receiveSize(load({ free: 0 }))).to.equal(0);
  });

  it('is nothing ahead before both times are known', () => {
    expect(receiveSize(load({ handlingMs: 5 }))).to.equal(0);
    expect(receiveSize(load({ receiveMs: 20 }))).to.equal(0);
  });

  it('is nothing while what is asked for already fills the slots', () => {
    expect(receiveSize(load({ free: 1, asked: 1 }))).to.equal(0);
    expect(receiveSize(load({ slots: 50, free: 50, asked: 10 }))).to.equal(10);
  });

  it('is ten for a fast worker, before it has used up what it holds', () => {
    expect(receiveSize(load({ waiting: 7, handlingMs: 5, receiveMs: 20 }))).to.equal(10);
    expect(receiveSize(load({ waiting: 8, handlingMs: 5, receiveMs: 20 }))).to.equal(0);
  });

  it('makes requests overlap when one of ten does not feed the slots', () => {
    const fast = { slots: 10, handlingMs: 5, receiveMs: 20 };
    expect(receiveSize(load({ ...fast, asked: 70 }))).to.equal(10);
    expect(receiveSize(load({ ...fast, asked: 80 }))).to.equal(0);
  });

  it('holds nothing for a worker that takes a minute, and one for a worker that takes a tenth of a second', () => {
    expect(receiveSize(load({ handlingMs: 60_000, receiveMs: 20 }))).to.equal(0);
    expect(receiveSize(load({ free: 1, handlingMs: 60_000, receiveMs: 20 }))).to.equal(1);
    expect(receiveSize(load({ handlingMs: 100, receiveMs: 20 }))).to.equal(5);
    expect(receiveSize(load({ waiting: 1, handlingMs: 100, receiveMs: 20 }))).to.equal(0);
  });

  it('holds nothing where waiting for the network takes less than a twentieth of the time', () => {
    expect(receiveSize(load({ slots: 10, handlingMs: 1_000, receiveMs: 20 }))).to.equal(0);
    expect(receiveSize(load({ slots: 10, handlingMs: 401, receiveMs: 20 }))).to.equal(0);
    expect(receiveSize(load({ slots: 10, handlingMs: 400, receiveMs: 20 }))).to.equal(10);
  });

  it('holds no more than during a receive is needed where some messages are slow, or little is known', () => {
    expect(receiveSize(load({ handlingMs: 20, slowestMs: 2_000, receiveMs: 20 }))).to.equal(2);
    expect(receiveSize(load({ handlingMs: 20, slowestMs: undefined, receiveMs: 20 }))).to.equal(2);
    expect(receiveSize(load({ handlingMs: 20, slowestMs: 20, receiveMs: 20 }))).to.equal(10);
  });

  it('fills up to the number of a prefetch, in steps that are worth a request', () => {
    expect(receiveSize(load({ free: 1, prefetch: 20 }))).to.equal(10);
    expect(receiveSize(load({ waiting: 10, prefetch: 20, handlingMs: 60_000, receiveMs: 20 }))).to.equal(10);
    expect(receiveSize(load({ waiting: 11, prefetch: 20 }))).to.equal(0);
    expect(receiveSize(load({ waiting: 2, prefetch: 4 }))).to.equal(2);
    expect(receiveSize(load({ waiting: 3, prefetch: 4 }))).to.equal(0);
    expect(receiveSize(load({ prefetch: 1 }))).to.equal(1);
    expect(receiveSize(load({ prefetch: 0 }))).to.equal(0);
    expect(receiveSize(load({ free: 1, prefetch: 0 }))).to.equal(1);
  });

  it('keeps one in reserve where queues take turns', () => {
    expect(receiveSize(load({ reserve: 1, handlingMs: 60_000, receiveMs: 20 }))).to.equal(1);
    expect(receiveSize(load({ reserve: 1, waiting: 1, handlingMs: 60_000, receiveMs: 20 }))).to.equal(0);
  });

  it('never asks for more than the message limit leaves', () => {
    expect(receiveSize(load({ slots: 10, free: 10, remaining: 3 }))).to.equal(3);
    expect(receiveSize(load({ slots: 10, free: 8, asked: 2, remaining: 3 }))).to.equal(1);
    expect(receiveSize(load({ free: 1, remaining: 0 }))).to.equal(0);
  });
});
