import { allHandlersFinished, CancellationScope, condition, defineUpdate, setHandler } from '@temporalio/workflow';

// doc:begin update
/** The update by which Sluice waits for a workflow's result. It has no argument. */
const result = defineUpdate<unknown>('result');

/**
 * Offers the outcome of the work by the update `result`, and returns it. The workflow
 * does not end before everybody who asked has been answered.
 */
export async function answering<T>(work: Promise<T>): Promise<T> {
  setHandler(result, () => work);
  try {
    return await work;
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}
// doc:end update
