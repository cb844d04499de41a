import { expect } from 'chai';
import { type Load, receiveSize } from '../../src/consumer/demand.ts';

describe('the number of messages that a receive requests', () => {
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
    maxBatch: 10,
    remaining: Number.POSITIVE_INFINITY,
    ...given,
  });

  it('is what can start immediately while nothing is known about the worker', () => {
    expect(receiveSize(load({ free: 1 }))).to.equal(1);
    expect(receiveSize(load({ slots: 10, free: 10 }))).to.equal(10);
    expect(receiveSize(load({ slots: 50, free: 50 }))).to.equal(10);
    expect(receiveSize(load({ free: 0 }))).to.equal(0);
  });

  it('does not fetch ahead before both times are known', () => {
    expect(receiveSize(load({ handlingMs: 5 }))).to.equal(0);
    expect(receiveSize(load({ receiveMs: 20 }))).to.equal(0);
  });

  it('is 0 while pending requests already fill the slots', () => {
    expect(receiveSize(load({ free: 1, asked: 1 }))).to.equal(0);
    expect(receiveSize(load({ slots: 50, free: 50, asked: 10 }))).to.equal(10);
  });

  it('is ten for a fast worker, before the waiting messages run out', () => {
    expect(receiveSize(load({ waiting: 7, handlingMs: 5, receiveMs: 20 }))).to.equal(10);
    expect(receiveSize(load({ waiting: 8, handlingMs: 5, receiveMs: 20 }))).to.equal(0);
  });

  it('lets requests overlap if ten messages do not keep the slots busy', () => {
    const fast = { slots: 10, handlingMs: 5, receiveMs: 20 };
    expect(receiveSize(load({ ...fast, asked: 70 }))).to.equal(10);
    expect(receiveSize(load({ ...fast, asked: 80 }))).to.equal(0);
  });

  it('fetches 0 messages ahead for a worker that takes a minute, and 1 for a worker that takes 0.1 s', () => {
    expect(receiveSize(load({ handlingMs: 60_000, receiveMs: 20 }))).to.equal(0);
    expect(receiveSize(load({ free: 1, handlingMs: 60_000, receiveMs: 20 }))).to.equal(1);
    expect(receiveSize(load({ handlingMs: 100, receiveMs: 20 }))).to.equal(5);
    expect(receiveSize(load({ waiting: 1, handlingMs: 100, receiveMs: 20 }))).to.equal(0);
  });

  it('fetches nothing ahead if waiting for the network takes less than a twentieth of the time', () => {
    expect(receiveSize(load({ slots: 10, handlingMs: 1_000, receiveMs: 20 }))).to.equal(0);
    expect(receiveSize(load({ slots: 10, handlingMs: 401, receiveMs: 20 }))).to.equal(0);
    expect(receiveSize(load({ slots: 10, handlingMs: 400, receiveMs: 20 }))).to.equal(10);
  });

  it('fetches only what starts during a receive if some messages are slow, or little is known', () => {
    expect(receiveSize(load({ handlingMs: 20, slowestMs: 2_000, receiveMs: 20 }))).to.equal(2);
    expect(receiveSize(load({ handlingMs: 20, slowestMs: undefined, receiveMs: 20 }))).to.equal(2);
    expect(receiveSize(load({ handlingMs: 20, slowestMs: 20, receiveMs: 20 }))).to.equal(10);
  });

  it('fills up to a fixed prefetch, in steps that are worth a request', () => {
    expect(receiveSize(load({ free: 1, prefetch: 20 }))).to.equal(10);
    expect(receiveSize(load({ waiting: 10, prefetch: 20, handlingMs: 60_000, receiveMs: 20 }))).to.equal(10);
    expect(receiveSize(load({ waiting: 11, prefetch: 20 }))).to.equal(0);
    expect(receiveSize(load({ waiting: 2, prefetch: 4 }))).to.equal(2);
    expect(receiveSize(load({ waiting: 3, prefetch: 4 }))).to.equal(0);
    expect(receiveSize(load({ prefetch: 1 }))).to.equal(1);
    expect(receiveSize(load({ prefetch: 0 }))).to.equal(0);
    expect(receiveSize(load({ free: 1, prefetch: 0 }))).to.equal(1);
  });

  it('keeps one message in reserve if several queues share the slots', () => {
    expect(receiveSize(load({ reserve: 1, handlingMs: 60_000, receiveMs: 20 }))).to.equal(1);
    expect(receiveSize(load({ reserve: 1, waiting: 1, handlingMs: 60_000, receiveMs: 20 }))).to.equal(0);
  });

  it('never exceeds what is left of the message limit', () => {
    expect(receiveSize(load({ slots: 10, free: 10, remaining: 3 }))).to.equal(3);
    expect(receiveSize(load({ slots: 10, free: 8, asked: 2, remaining: 3 }))).to.equal(1);
    expect(receiveSize(load({ free: 1, remaining: 0 }))).to.equal(0);
  });
});
