import { expect } from 'chai';
import type { Message, MessageAttributes } from '../../src/brokers/broker.ts';
import { MalformedMessageError, UnserializableArgumentError } from '../../src/message/call.ts';
import { callCodec, registerCodec, UnsupportedContentTypeError } from '../../src/message/codecs.ts';
import { decodeTask, encodeTask, taskNameOf } from '../../src/tasks/wire.ts';

const text = (stringValue: string) => ({ dataType: 'String', stringValue });

/** A message in the format of Doist's sqs-workers. */
const recorded: MessageAttributes = {
  ContentType: text('json'),
  JobName: text('send_email'),
  JobContext: text('{"remote_addr": "1.2.3.4"}'),
};

function message(body: string, attributes: MessageAttributes = recorded): Message {
  return { id: 'm', body, receiptHandle: 'r', receiveCount: 1, attributes, sentAt: 0 };
}

describe('the wire format of tasks', () => {
  it('reads what sqs-workers sends', async () => {
    const received = message('{"to": "c@d", "subject": "Yo"}');
    expect(taskNameOf(received)).to.equal('send_email');
    expect(await decodeTask(received)).to.deep.equal({
      name: 'send_email',
      contentType: 'json',
      input: { to: 'c@d', subject: 'Yo' },
      context: { remote_addr: '1.2.3.4' },
    });
  });

  it('writes the same attributes, of the same types', () => {
    const { body, attributes } = encodeTask({
      name: 'send_email',
      contentType: 'json',
      input: { to: 'c@d', subject: 'Yo' },
      context: { remote_addr: '1.2.3.4' },
    });
    expect(JSON.parse(body)).to.deep.equal({ to: 'c@d', subject: 'Yo' });
    expect(attributes).to.deep.equal({ ...recorded, JobContext: text('{"remote_addr":"1.2.3.4"}') });
  });

  it('accepts a message without a content type or context', async () => {
    const call = await decodeTask(message('{}', { JobName: text('tidy') }));
    expect(call).to.deep.equal({ name: 'tidy', contentType: 'json', input: {}, context: {} });
  });

  for (const contentType of ['pickle', 'pickle_compat']) {
    it(`never reads a ${contentType}`, () => {
      const pickled = message('eJxr', { ...recorded, ContentType: text(contentType) });
      expect(() => decodeTask(pickled)).to.throw(UnsupportedContentTypeError, 'pickles are refused');
    });
  }

  it('lists the known codecs if there is none for a content type', () => {
    const unknown = message('', { ...recorded, ContentType: text('avro') });
    expect(() => decodeTask(unknown)).to.throw(/"avro".*Known: json/);
  });

  it('uses a codec that the application registers', async () => {
    registerCodec({
      contentType: 'reversed',
      encode: (value) => [...String(value)].reverse().join(''),
      decode: (body) => [...body].reverse().join(''),
    });
    const call = { name: 'say', contentType: 'reversed', input: 'abc', context: {} };
    const { body, attributes } = encodeTask(call);
    expect(body).to.equal('cba');
    expect(await decodeTask(message(body, attributes))).to.deep.equal(call);
  });

  it('has the calls of zc.sqs as a codec for raw tasks', () => {
    expect(callCodec.encode([1, 2, { x: 3 }])).to.equal('[[1,2],{"x":3}]');
    expect(callCodec.decode('[[1, 2], {"x": 3}]')).to.deep.equal([1, 2, { x: 3 }]);
    expect(() => callCodec.decode('{}')).to.throw(MalformedMessageError);
  });

  it('refuses a body or a context that could pollute prototypes', () => {
    for (const evil of [
      message('{"__proto__": {"polluted": true}}'),
      message('{}', { ...recorded, JobContext: text('{"__proto__": {"polluted": true}}') }),
    ]) {
      expect(() => decodeTask(evil)).to.throw(MalformedMessageError);
    }
    expect(({} as { polluted?: boolean }).polluted).to.equal(undefined);
  });

  it('refuses a context that is not an object', () => {
    const wrong = message('{}', { ...recorded, JobContext: text('[1]') });
    expect(() => decodeTask(wrong)).to.throw('JobContext');
  });

  it('names the attribute with invalid JSON', () => {
    const wrong = message('{}', { ...recorded, JobContext: text('{') });
    expect(() => decodeTask(wrong)).to.throw(
      MalformedMessageError,
      'The attribute JobContext is not JSON: "{"',
    );
  });

  it('names the part of a context that JSON cannot represent, before it is sent', () => {
    const call = { name: 'say', contentType: 'json', input: {} };
    for (const [value, problem] of [
      [1n, 'the context.user.id is a bigint'],
      [Number.NaN, 'the context.user.id is NaN'],
      [new Map(), 'the context.user.id is a Map'],
    ] as const) {
      expect(() => encodeTask({ ...call, context: { user: { id: value } } })).to.throw(
        UnserializableArgumentError,
        problem,
      );
    }
  });

  it('adds its own attributes to those of the application', () => {
    const call = { name: 'say', contentType: 'json', input: {}, context: {} };
    const { attributes } = encodeTask(call, { tenant: text('t1'), JobName: text('other') });
    expect(attributes).to.have.all.keys('tenant', 'ContentType', 'JobName', 'JobContext');
    expect(attributes.JobName).to.deep.equal(text('say'));
  });
});
