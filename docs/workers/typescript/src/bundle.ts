import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

// Workflows run in a sandbox, which loads one file. Made once, here, it is there when
// workers start.
async function bundle(workflows: string, into: string): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: require.resolve(workflows),
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(`${__dirname}/${into}`, code);
}

async function all(): Promise<void> {
  await bundle('./workflows', 'workflows.bundle.js');
  await bundle('./trial/workflows', 'trial/workflows.bundle.js');
}

void all();
