import { expect } from 'chai';
import fc from 'fast-check';
import {
  changeResult,
  deleteResult,
  parseReceiptHandle,
  receiptHandle,
} from '../../src/brokers/rules/receipt-handle.ts';
import { codePoint } from '../support/code-point.ts';

const receipt = { number: 7, token: 'a' };
const inFlight = { token: 'a', isInFlight: true };
const visibleAgain = { token: 'a', isInFlight: false };
const receivedAgain = { token: 'b', isInFlight: true };
const delayed = { token: null, isInFlight: false };
const ok = { ok: true };

describe('a receipt handle', () => {
  it('contains the number and the token that it was created from', () => {
    expect(parseReceiptHandle(receiptHandle(receipt))).to.deep.equal(receipt);
  });

  it('contains any number and token', () => {
    const number = fc.nat({ max: 999_999_999_999_999 });
    fc.assert(
      fc.property(number, fc.stringMatching(/^\w{1,40}$/), (number, token) => {
        expect(parseReceiptHandle(receiptHandle({ number, token }))).to.deep.equal({ number, token });
      }),
    );
  });

  it('is parsed only in the format in which it is created, apart from leading zeros', () => {
    const text = fc.oneof(fc.string({ unit: codePoint }), fc.stringMatching(/^ ?\d{0,17}-?[\w ]{0,4}\n?$/));
    fc.assert(
      fc.property(text, (text) => {
        const receipt = parseReceiptHandle(text);
        if (receipt) expect(receiptHandle(receipt)).to.equal(text.replace(/^0+(?=\d)/, ''));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is distinguished from other strings', () => {
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
    it(`accepts the handle from the last receive on a ${kind} queue`, () => {
      expect(deleteResult(receipt, inFlight, fifo)).to.deep.equal(ok);
    });

    it(`accepts deleting a message again on a ${kind} queue`, () => {
      expect(deleteResult(receipt, undefined, fifo)).to.deep.equal(ok);
    });

    it(`refuses an invalid handle, or one from an earlier receive, on a ${kind} queue`, () => {
      for (const result of [
        deleteResult(undefined, undefined, fifo),
        deleteResult(receipt, receivedAgain, fifo),
        deleteResult(receipt, delayed, fifo),
      ]) {
        expect(result).to.include({ ok: false, code: 'ReceiptHandleIsInvalid', retryable: false });
      }
    });
  }

  it('accepts the handle of a message that is visible again only on a standard queue', () => {
    expect(deleteResult(receipt, visibleAgain, false)).to.deep.equal(ok);
    expect(deleteResult(receipt, visibleAgain, true)).to.include({ code: 'ReceiptHandleIsInvalid' });
  });
});

describe('changeResult', () => {
  const change = { receiptHandle: receiptHandle(receipt), seconds: 43_200 };

  it('accepts the handle from the last receive for a message in flight', () => {
    expect(changeResult(change, receipt, inFlight)).to.deep.equal(ok);
  });

  it('refuses seconds out of range before checking the handle', () => {
    for (const seconds of [-1, 0.5, 43_201, Number.NaN]) {
      expect(changeResult({ ...change, seconds }, undefined, undefined)).to.include({
        code: 'InvalidParameterValue',
      });
    }
  });

  it('distinguishes an invalid handle, an earlier one, and a message that is not in flight', () => {
    expect(changeResult(change, undefined, undefined)).to.include({ code: 'ReceiptHandleIsInvalid' });
    expect(changeResult(change, receipt, receivedAgain)).to.include({ code: 'ReceiptHandleIsInvalid' });
    expect(changeResult(change, receipt, visibleAgain)).to.include({ code: 'MessageNotInflight' });
    expect(changeResult(change, receipt, undefined)).to.include({ code: 'MessageNotInflight' });
  });
});
