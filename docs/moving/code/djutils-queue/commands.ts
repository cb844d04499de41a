import { taskQueue } from 'sqs-containers';

const jobs = taskQueue('jobs');

export const resize = jobs.task('resize', async ({ photo, width }: { photo: number; width: number }) => {
  console.log(`photo ${photo}, ${width} wide`);
});
