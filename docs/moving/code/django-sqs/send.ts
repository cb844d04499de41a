import { audit, confirm, thumbnail } from './receivers.ts';

await thumbnail.delay('photos/1.jpg');
await confirm.delay({ id: 17, total: 42 });
await audit.delay('order 17 confirmed');

await thumbnail.run('photos/2.jpg'); // runs the function itself, immediately
