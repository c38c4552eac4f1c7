import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { activities, fileName, refuseUnless, type Store } from '../activities';
import type { Input } from '../contract';

export type TrialActivities = ReturnType<typeof trialActivities>;

export function trialActivities(store: Store) {
  return {
    ...activities(store),

    /** Fails in its first attempts, and then tells how many there were. */
    async attempt(failures: number): Promise<number> {
      const { attempt } = Context.current().info;
      if (attempt <= failures) throw new Error(`attempt ${attempt} fails`);
      return attempt;
    },

    /** Notes the run with the document, and tells how many there were; a repeat notes none. */
    async countRun(input: Input): Promise<number> {
      refuseUnless(input.shadow === store.shadow);
      const file = join(store.directory, `${fileName(input)}.runs`);
      const run = Context.current().info.workflowExecution?.runId ?? '';
      const noted = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
      if (!(await noted()).includes(run)) {
        await mkdir(store.directory, { recursive: true });
        await appendFile(file, `${run}\n`);
      }
      return (await noted()).length;
    },
  };
}
