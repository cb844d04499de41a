import { expect } from 'chai';
import { TestContainer } from 'sqs-containers/test';

it('handles orders, and keeps messages that are not orders', async () => {
  const container = await TestContainer.start('docs/moving/code/sqs-consumer/worker.ini');
  await container.send('orders', '{"id":17}');
  await container.send('orders', 'not an order');
  await container.idle();
  expect(container.deleted.map(({ body }) => body)).to.deep.equal(['{"id":17}']);
  expect(container.kept.map(({ error }) => (error as Error).name)).to.deep.equal(['SyntaxError']);
  await container.stop();
});
