import { existsSync } from 'node:fs';
import { ExternalStorage } from '@temporalio/common';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { activities, type Store } from './activities';
import { DirectoryDriver } from './claimcheck';

/** A variable of the environment, which must be set where there is no other value for it. */
export function setting(name: string, otherwise?: string): string {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/**
 * Polls the real task queue and the shadow's until the process is told to end (SIGINT or
 * SIGTERM). The activities of each have a store of their own.
 */
export async function run(bundle: string, activitiesOf: (store: Store) => object): Promise<void> {
  const connection = await NativeConnection.connect({ address: setting('TEMPORAL_ADDRESS', '127.0.0.1:7233') });
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: npm run build makes it`);
  // doc:begin versions
  const options = {
    connection,
    namespace: setting('TEMPORAL_NAMESPACE', 'default'),
    workflowBundle: { codePath: bundle },
    dataConverter: { externalStorage: new ExternalStorage({ drivers: [new DirectoryDriver(setting('PAYLOADS'), setting('PAYLOADS_SHARED_BY', 'owner') === 'group')] }) },
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: setting('DEPLOYMENT'), buildId: setting('BUILD_ID') },
      defaultVersioningBehavior: 'PINNED',
    },
  } satisfies Partial<WorkerOptions>;
  // doc:end versions
  const real = await Worker.create({
    ...options,
    taskQueue: setting('TASK_QUEUE'),
    activities: activitiesOf({ directory: setting('STORE'), shadow: false }),
  });
  const shadow = await Worker.create({
    ...options,
    taskQueue: setting('SHADOW_TASK_QUEUE'),
    activities: activitiesOf({ directory: setting('SHADOW_STORE'), shadow: true }),
  });
  try {
    await Promise.all([real.run(), shadow.run()]);
  } finally {
    await connection.close();
  }
}

if (require.main === module) {
  void run(require.resolve('./workflows.bundle.js'), activities);
}
