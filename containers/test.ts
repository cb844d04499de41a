/** `sqs-containers/test`: the test container, with which specs run the code of production on queues in memory. */
export { type Inline, runInline } from '../src/testing/inline.ts';
export {
  TestContainer,
  type TestContainerOptions,
  type TestedMessage,
} from '../src/testing/test-container.ts';
