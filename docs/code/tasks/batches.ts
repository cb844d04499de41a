import { taskQueue } from 'sqs-containers';

export const view = taskQueue('pages').batchTask(
  'view',
  async (views: readonly { page: string }[]) => {
    const isBad = ({ page }: { page: string }) => page === '';
    console.log(`INSERT ${views.filter((one) => !isBad(one)).map(({ page }) => page)}`);
    return { failed: [...views.keys()].filter((place) => isBad(views[place]!)) };
  },
  { size: 10, wait: 2 },
);
