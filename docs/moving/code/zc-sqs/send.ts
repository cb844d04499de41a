import { queue } from 'sqs-containers';

const adder = queue<[number, number, number]>('adder');
await adder(1, 2, 3); // { messageId, body: '[[1,2,3],{}]' }
