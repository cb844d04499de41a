/** Validates the input of a task against its schema, from any Standard Schema library (zod, valibot, arktype). */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { brand } from '../modules/brand.ts';

/** An input that does not match the schema of its task, when it is sent or handled. */
export class TaskInputError extends Error {
  static {
    brand(TaskInputError, 'TaskInputError');
  }
  override readonly name = 'TaskInputError';
  /** What is wrong with the input, each with its path. */
  readonly issues: readonly string[];

  constructor(task: string, issues: readonly string[]) {
    super(`Invalid input for task "${task}": ${issues.join('; ')}`);
    this.issues = issues;
  }
}

export type TaskSchema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** The default schema of a task: one object with named arguments. */
export const namedArguments: TaskSchema = {
  '~standard': {
    version: 1,
    vendor: 'sqs-containers',
    validate: (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { value }
        : { issues: [{ message: 'a task takes one object with named arguments' }] },
  },
};

/**
 * Returns the schema's output for the input; a promise if the schema is asynchronous. Throws TaskInputError with
 * everything that is wrong with the input.
 */
export function checkInput(task: string, schema: TaskSchema, input: unknown): unknown {
  const result = schema['~standard'].validate(input);
  return result instanceof Promise
    ? result.then((checked) => outputOf(task, checked))
    : outputOf(task, result);
}

function outputOf(task: string, result: StandardSchemaV1.Result<unknown>): unknown {
  if (!result.issues) return result.value;
  throw new TaskInputError(task, result.issues.map(describeIssue));
}

function describeIssue({ message, path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return keys.length > 0 ? `${keys.join('.')}: ${message}` : message;
}
