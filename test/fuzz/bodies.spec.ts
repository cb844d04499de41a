// Arbitrary bodies and attributes are read, or refused with a known kind of error, quickly.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Message, MessageAttribute } from '../../src/brokers/broker.ts';
import { formatAttributes, messageSize, parseAttributes } from '../../src/brokers/rules/messages.ts';
import { fromSqs, toSqs } from '../../src/brokers/sqs/message.ts';
import {
  decodeCall,
  encodeCall,
  MalformedMessageError,
  UnserializableArgumentError,
} from '../../src/message/call.ts';
import {
  base64Codec,
  codecOf,
  jsonCodec,
  referenceCodec,
  UnsupportedContentTypeError,
} from '../../src/message/codecs.ts';
import { decodeLine, encodeLine } from '../../src/message/log-lines.ts';
import { formatOf } from '../../src/observe/logging/formats.ts';
import { redacted } from '../../src/observe/metrics/redacted.ts';
import { decodeTask, taskNameOf } from '../../src/tasks/wire.ts';
import { RUNS, survives, TIMEOUT_MS } from './runs.ts';
import { anyText } from './texts.ts';

const name = fc.oneof(
  fc.constantFrom('ContentType', 'JobName', 'JobContext', '__proto__', 'constructor'),
  fc.string(),
);
const attribute: fc.Arbitrary<MessageAttribute> = fc.oneof(
  fc.record({ dataType: fc.constant('String'), stringValue: anyText }),
  fc.record({ dataType: fc.constantFrom('Number', 'String.x', 'Binary', ''), binaryValue: fc.uint8Array() }),
  fc.record({ dataType: fc.constant('String') }),
);
const attributes = fc.dictionary(name, attribute, { maxKeys: 4, noNullPrototype: true });
const references = referenceCodec({ refer: String, resolve: () => 1 });

describe('any body', function () {
  this.timeout(TIMEOUT_MS);

  it('is decoded by codecs, or rejected as malformed', () => {
    fc.assert(
      fc.property(anyText, (body) => {
        for (const decode of [decodeCall, jsonCodec.decode, base64Codec.decode]) {
          survives(() => decode(body), MalformedMessageError);
        }
        survives(() => void Promise.resolve(references.decode(body)).catch(() => {}), MalformedMessageError);
      }),
      RUNS,
    );
  });

  it('that decodes as a call survives being encoded and decoded again', () => {
    fc.assert(
      fc.property(anyText, (body) => {
        survives(
          () => {
            const args = decodeCall(body);
            expect(decodeCall(encodeCall(args))).to.deep.equal(args);
          },
          MalformedMessageError,
          UnserializableArgumentError,
        );
      }),
      RUNS,
    );
  });

  it('is read back unchanged from the messages log, and is one line in logs and on the page', () => {
    fc.assert(
      fc.property(anyText, (body) => {
        survives(() => {
          const line = encodeLine(body);
          expect(line).not.to.match(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
          expect(decodeLine(line)).to.equal(body);
          const record = { time: new Date(), level: 'info', logger: 'a', message: body, fields: { body } };
          for (const format of ['text', 'json', '{message}'])
            expect(formatOf(format)(record)).not.to.contain('\n');
          redacted(body, 500);
          decodeLine(body);
        });
      }),
      RUNS,
    );
  });
});

describe('any attributes', function () {
  this.timeout(TIMEOUT_MS);

  it('belong to a task or not, or are refused', () => {
    fc.assert(
      fc.property(attributes, anyText, (attributes, body) => {
        const message: Message = {
          id: '1',
          body,
          receiptHandle: '1-a',
          receiveCount: 1,
          attributes,
          sentAt: 0,
        };
        survives(() => taskNameOf(message));
        survives(() => decodeTask(message), MalformedMessageError, UnsupportedContentTypeError);
        survives(() => codecOf(body), UnsupportedContentTypeError);
      }),
      RUNS,
    );
  });

  it('are read back unchanged from SQS and from our own databases', () => {
    fc.assert(
      fc.property(attributes, (attributes) => {
        survives(() => {
          const stored = parseAttributes(formatAttributes(attributes));
          const { MessageAttributes = {} } = toSqs({ body: 'a', attributes }, '1');
          const received = fromSqs(JSON.parse(JSON.stringify({ MessageAttributes }))).attributes;
          for (const back of [stored, received]) {
            expect(Object.keys(back).sort()).to.deep.equal(Object.keys(attributes).sort());
            expect(Object.getPrototypeOf(back)).to.equal(Object.prototype);
            for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes)) {
              const { binaryValue: bytes, ...rest } = Object.entries(back).find(([one]) => one === name)![1];
              expect(rest).to.deep.equal({ dataType, ...(stringValue !== undefined && { stringValue }) });
              expect(bytes && Buffer.from(bytes).toString('hex')).to.equal(
                binaryValue && Buffer.from(binaryValue).toString('hex'),
              );
            }
          }
          expect(messageSize({ body: '', attributes })).to.be.at.least(0);
        });
      }),
      RUNS,
    );
  });
});
