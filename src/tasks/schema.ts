/** Checks the input of a task against its schema, of any library that speaks Standard Schema (zod, valibot, arktype). */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { TaskInputError } from './errors.ts';

export type TaskSchema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** What the schema makes of the input. Throws TaskInputError that names each part that does not fit. */
export async function checkInput(
  task: string,
  schema: TaskSchema | undefined,
  input: unknown,
): Promise<unknown> {
  if (!schema) return input;
  const result = await schema['~standard'].validate(input);
  if (!result.issues) return result.value;
  throw new TaskInputError(task, result.issues.map(describeIssue));
}

function describeIssue({ message, path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return keys.length > 0 ? `${keys.join('.')}: ${message}` : message;
}
