/**
 * Traces tasks with OpenTelemetry, if the application uses it: a span for each send and each handling, following the
 * semantic conventions for messaging, with the W3C trace context in the message attributes.
 */
import type { Context, Span, SpanKind, TextMapGetter } from '@opentelemetry/api';
import type { Message, MessageAttributes } from '../../brokers/broker.ts';
import { MAX_ATTRIBUTES } from '../../brokers/rules/limits.ts';

type Api = typeof import('@opentelemetry/api');

const TRACER = 'sqs-containers';

let loading: Promise<void> | undefined;
/** The API package, once loaded. The application installs it; without it, nothing is traced. */
let loaded: Api | undefined;

/** Loads the API package, if it is installed. Call it before anything is traced. */
export function loadTracing(): Promise<void> {
  loading ??= import('@opentelemetry/api').then(
    (api) => {
      loaded = api;
    },
    () => {},
  );
  return loading;
}

/** The API, if the application has registered an SDK: otherwise spans would not be recorded. */
function openTelemetry(): Api | undefined {
  const provider = loaded?.trace.getTracerProvider();
  const isIdle =
    loaded && provider instanceof loaded.ProxyTracerProvider && !provider.getDelegateTracer(TRACER);
  return isIdle ? undefined : loaded;
}

interface Traced {
  readonly queue: string;
  readonly task: string;
}

/** Runs `send` in a span, with the attributes that carry the trace to the message's handler. */
export async function tracedSend<Result extends { readonly messageId: string }>(
  traced: Traced,
  send: (carrier: MessageAttributes) => Promise<Result>,
): Promise<Result> {
  await loadTracing();
  const api = openTelemetry();
  if (!api) return send({});
  return inSpan(api, 'send', api.SpanKind.PRODUCER, traced, api.context.active(), async (span) => {
    const carrier: Record<string, string> = {};
    api.propagation.inject(api.context.active(), carrier);
    const sent = await send(
      Object.fromEntries(
        Object.entries(carrier).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]),
      ),
    );
    span.setAttribute('messaging.message.id', sent.messageId);
    return sent;
  });
}

/** Adds the attributes that carry the trace, as far as there is room: a send must not fail because of its trace. */
export function withTrace(attributes: MessageAttributes, carrier: MessageAttributes): MessageAttributes {
  const room = Math.max(0, MAX_ATTRIBUTES - Object.keys(attributes).length);
  return { ...attributes, ...Object.fromEntries(Object.entries(carrier).slice(0, room)) };
}

/** Runs `handle` in a span that continues the message's trace. */
export function traced(
  message: Message,
  about: Traced,
  handle: () => void | Promise<void>,
): void | Promise<void> {
  const api = openTelemetry();
  if (!api) return handle();
  const sender = api.propagation.extract(api.context.active(), message.attributes, ATTRIBUTES);
  return inSpan(api, 'process', api.SpanKind.CONSUMER, about, sender, async (span) => {
    span.setAttribute('messaging.message.id', message.id);
    await handle();
  });
}

const ATTRIBUTES: TextMapGetter<MessageAttributes> = {
  keys: (attributes) => Object.keys(attributes),
  get: (attributes, name) => attributes[name]?.stringValue,
};

function inSpan<Result>(
  api: Api,
  operation: 'send' | 'process',
  kind: SpanKind,
  { queue, task }: Traced,
  parent: Context,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const attributes = {
    'messaging.system': 'aws_sqs',
    'messaging.destination.name': queue,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'sqs_containers.task': task,
  };
  const tracer = api.trace.getTracer(TRACER);
  return tracer.startActiveSpan(`${operation} ${queue}`, { kind, attributes }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error as Error);
      span.setAttribute('error.type', (error as Error).name);
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: (error as Error).message });
      throw error;
    } finally {
      span.end();
    }
  });
}
