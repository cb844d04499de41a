/** `sqs-containers/test`: the test container, which lets specs run production code on in-memory queues. */
export { type Inline, runInline } from '../src/testing/inline.ts';
export {
  TestContainer,
  type TestContainerOptions,
  type TestedMessage,
} from '../src/testing/test-container.ts';
