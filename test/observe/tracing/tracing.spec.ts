import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { TestContainer } from '../../../containers/test.ts';
import { currentMessage, taskQueue } from '../../../src/index.ts';
import { worker } from '../../../src/tasks/worker.ts';

/** The context manager that an application's OpenTelemetry SDK sets up on Node.js. */
class AsyncContext implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active = () => this.#storage.getStore() ?? ROOT_CONTEXT;
  with: ContextManager['with'] = (active, work, self, ...args) =>
    this.#storage.run(active, () => work.call(self, ...args));
  bind: ContextManager['bind'] = (_, target) => target;
  enable = () => this;
  disable = () => this;
}

describe('tasks in an application with OpenTelemetry', () => {
  const exporter = new InMemorySpanExporter();
  let container: TestContainer;

  before(() => {
    context.setGlobalContextManager(new AsyncContext());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
    );
  });
  after(() => {
    trace.disable();
    propagation.disable();
    context.disable();
  });
  beforeEach(async () => {
    taskQueue('traced');
    container = await TestContainer.start({ queue: 'traced', worker });
  });
  afterEach(async () => {
    await container.stop();
    exporter.reset();
  });

  it('have one trace from the sender to the handler', async () => {
    let attributes: readonly string[] = [];
    const mail = taskQueue('traced').task('mail', () => {
      attributes = Object.keys(currentMessage().attributes);
    });
    const sent = await trace.getTracer('app').startActiveSpan('request', async (span) => {
      const result = await mail.delay();
      span.end();
      return result;
    });
    await container.idle();

    const spanOf = (name: string) => exporter.getFinishedSpans().find((span) => span.name === name);
    const [send, request, process] = ['send traced', 'request', 'process traced'].map(spanOf);
    expect([send?.kind, process?.kind]).to.deep.equal([SpanKind.PRODUCER, SpanKind.CONSUMER]);
    const traceId = request?.spanContext().traceId;
    expect([send?.spanContext().traceId, process?.spanContext().traceId]).to.deep.equal([traceId, traceId]);
    expect(process?.parentSpanContext?.spanId).to.equal(send?.spanContext().spanId);
    expect(process?.attributes).to.include({
      'messaging.system': 'aws_sqs',
      'messaging.destination.name': 'traced',
      'messaging.operation.type': 'process',
      'messaging.message.id': sent.messageId,
    });
    expect(attributes).to.have.members(['ContentType', 'JobName', 'JobContext', 'traceparent']);
  });

  it('are sent without the trace if there is no room for its attributes', async () => {
    const attributesOf = async (count: number) => {
      let received: readonly string[] = [];
      const mail = taskQueue('traced').task('mail', () => {
        received = Object.keys(currentMessage().attributes);
      });
      const names = Array.from({ length: count }, (_, index) => `a${index}`);
      const attributes = Object.fromEntries(
        names.map((name) => [name, { dataType: 'String', stringValue: name }]),
      );
      await mail.with({ attributes }).delay();
      await container.idle();
      return received;
    };
    expect(await attributesOf(6))
      .to.have.length(10)
      .and.include('traceparent');
    expect(await attributesOf(7))
      .to.have.length(10)
      .and.not.include('traceparent');
  });

  it('record errors from a handler', async () => {
    const failing = taskQueue('traced').task('failing', () => {
      throw new RangeError('no such user');
    });
    await failing.delay();
    await container.idle();
    const span = exporter.getFinishedSpans().find(({ name }) => name === 'process traced');
    expect(span?.status.message).to.equal('no such user');
    expect(span?.events.map(({ name }) => name)).to.deep.equal(['exception']);
    expect(span?.attributes).to.include({ 'error.type': 'RangeError' });
  });
});
