/**
 * The wire format of tasks. It is the format of Doist's sqs-workers, so that either side may be in Python. The input is
 * the body, along with the attributes ContentType, JobName and JobContext, all of type String.
 */
import type { Message, MessageAttributes } from '../brokers/broker.ts';
import { encodeJson, MalformedMessageError, parseJson } from '../message/call.ts';
import { codecOf } from '../message/codecs.ts';
import type { TaskContext } from './context.ts';

export interface TaskCall {
  readonly name: string;
  readonly contentType: string;
  readonly input: unknown;
  readonly context: TaskContext;
}

/** The body and attributes of a task, including the attributes in `more`. Throws UnserializableArgumentError. */
export function encodeTask(
  { name, contentType, input, context }: TaskCall,
  more: MessageAttributes = {},
): { readonly body: string; readonly attributes: MessageAttributes } {
  const attributes = {
    ...more,
    ContentType: text(contentType),
    JobName: text(name),
    JobContext: text(encodeJson(context, 'the context')),
  };
  return { body: codecOf(contentType).encode(input), attributes };
}

/** The name of the task that a message is for; undefined if the message is not a task. */
export function taskNameOf({ attributes }: Message): string | undefined {
  return attributes.JobName?.stringValue;
}

/**
 * Reads the call from a message; a promise if its codec is asynchronous. Throws MalformedMessageError and
 * UnsupportedContentTypeError.
 */
export function decodeTask(message: Message): TaskCall | Promise<TaskCall> {
  const contentType = message.attributes.ContentType?.stringValue ?? 'json';
  const call = { name: taskNameOf(message) ?? '', contentType, context: contextOf(message) };
  const input = codecOf(contentType).decode(message.body);
  return input instanceof Promise
    ? input.then((decoded) => ({ ...call, input: decoded }))
    : { ...call, input };
}

function contextOf({ attributes }: Message): TaskContext {
  const written = attributes.JobContext?.stringValue;
  if (!written || written === '{}') return {};
  const context = parseJson(written, 'The attribute JobContext');
  if (typeof context === 'object' && context !== null && !Array.isArray(context))
    return context as TaskContext;
  throw new MalformedMessageError('The attribute JobContext is not a JSON object.');
}

function text(stringValue: string) {
  return { dataType: 'String', stringValue };
}
