import { taskQueue } from 'sqs-containers';

export const view = taskQueue('pages').batchTask(
  'view',
  async (views: readonly { page: string }[]) => {
    const isBad = ({ page }: { page: string }) => page === '';
    console.log(`INSERT ${views.filter((view) => !isBad(view)).map(({ page }) => page)}`);
    return { failed: [...views.keys()].filter((index) => isBad(views[index]!)) };
  },
  { size: 10, wait: 2 },
);
