import { resize } from './commands.ts';

export async function uploaded(photo: number): Promise<string> {
  await resize.delay({ photo, width: 320 });
  return 'It will be there in a moment.';
}
