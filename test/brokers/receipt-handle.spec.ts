import { expect } from 'chai';
import fc from 'fast-check';
import {
  changeResult,
  deleteResult,
  parseReceiptHandle,
  receiptHandle,
} from '../../src/brokers/rules/receipt-handle.ts';

const receipt = { number: 7, token: 'a' };
const inFlight = { token: 'a', isInFlight: true };
const visibleAgain = { token: 'a', isInFlight: false };
const receivedAgain = { token: 'b', isInFlight: true };
const delayed = { token: null, isInFlight: false };
const ok = { ok: true };

describe('a receipt handle', () => {
  it('says the number and the token that it was made of', () => {
    expect(parseReceiptHandle(receiptHandle(receipt))).to.deep.equal(receipt);
  });

  it('says so for any number and token', () => {
    const number = fc.nat({ max: 999_999_999_999_999 });
    fc.assert(
      fc.property(number, fc.stringMatching(/^\w{1,40}$/), (number, token) => {
        expect(parseReceiptHandle(receiptHandle({ number, token }))).to.deep.equal({ number, token });
      }),
    );
  });

  it('is no text but what it would be itself, up to zeros before its number', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^ ?\d{0,17}-?[\w ]{0,4}\n?$/));
    fc.assert(
      fc.property(text, (text) => {
        const receipt = parseReceiptHandle(text);
        if (receipt) expect(receiptHandle(receipt)).to.equal(text.replace(/^0+(?=\d)/, ''));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is told from other texts', () => {
    for (const text of ['', '7', '7-', '-a', 'x-a', ' 7-a', '7-a b', '7-a-b', '1234567890123456-a']) {
      expect(parseReceiptHandle(text), text).to.equal(undefined);
    }
  });
});

describe('deleteResult', () => {
  for (const [kind, fifo] of [
    ['standard', false],
    ['FIFO', true],
  ] as const) {
    it(`lets the handle of the last receive delete on a ${kind} queue`, () => {
      expect(deleteResult(receipt, inFlight, fifo)).to.deep.equal(ok);
    });

    it(`finds no error in deleting what is gone from a ${kind} queue`, () => {
      expect(deleteResult(receipt, undefined, fifo)).to.deep.equal(ok);
    });

    it(`refuses on a ${kind} queue what is no handle, or one of an earlier receive`, () => {
      for (const result of [
        deleteResult(undefined, undefined, fifo),
        deleteResult(receipt, receivedAgain, fifo),
        deleteResult(receipt, delayed, fifo),
      ]) {
        expect(result).to.include({ ok: false, code: 'ReceiptHandleIsInvalid', retryable: false });
      }
    });
  }

  it('lets it delete a message that is visible again on a standard queue alone', () => {
    expect(deleteResult(receipt, visibleAgain, false)).to.deep.equal(ok);
    expect(deleteResult(receipt, visibleAgain, true)).to.include({ code: 'ReceiptHandleIsInvalid' });
  });
});

describe('changeResult', () => {
  const change = { receiptHandle: receiptHandle(receipt), seconds: 43_200 };

  it('lets the handle of the last receive move a message that is in flight', () => {
    expect(changeResult(change, receipt, inFlight)).to.deep.equal(ok);
  });

  it('refuses seconds out of bounds before all', () => {
    for (const seconds of [-1, 0.5, 43_201, Number.NaN]) {
      expect(changeResult({ ...change, seconds }, undefined, undefined)).to.include({
        code: 'InvalidParameterValue',
      });
    }
  });

  it('tells what is no handle, an earlier one, and a message that nobody holds apart', () => {
    expect(changeResult(change, undefined, undefined)).to.include({ code: 'ReceiptHandleIsInvalid' });
    expect(changeResult(change, receipt, receivedAgain)).to.include({ code: 'ReceiptHandleIsInvalid' });
    expect(changeResult(change, receipt, visibleAgain)).to.include({ code: 'MessageNotInflight' });
    expect(changeResult(change, receipt, undefined)).to.include({ code: 'MessageNotInflight' });
  });
});
