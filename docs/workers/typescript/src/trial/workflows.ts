// What the project's own tests run besides: a workflow that does what its document says.
// Nothing here is to be copied.
import type { Duration } from '@temporalio/common';
import { ApplicationFailure, proxyActivities, sleep, uuid4 } from '@temporalio/workflow';
import { answering } from '../answering';
import type { Input, Support } from '../contract';
import { 'sluice.worker-support' as support } from '../workflows';
import type { TrialActivities } from './activities';

export * from '../workflows';

/** A document says how its run goes; with `?echo` in its query it returns what it was given. */
interface Trial {
  /** How long it takes. */
  sleep?: Duration;
  /** How many attempts of its activity fail. */
  flaky?: number;
  /** What it returns: in its first run the first, and so on; of more runs, the last. */
  returns?: unknown[];
  /** What its ApplicationFailure says. */
  fails?: { message: string; type?: string; details?: unknown[] };
  /** The message of a plain Error, which is no failure of the workflow's. */
  throws?: string;
  /** A member of the result that is another in each run. */
  random?: string;
}

const { attempt, countRun } = proxyActivities<TrialActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1, maximumAttempts: 5 },
});

/** The trial offers the update `result`, and TrialByClose does not. */
export const Trial = (input: Input): Promise<unknown> => answering(trial(input));
export const TrialByClose = (input: Input): Promise<unknown> => trial(input);

async function trial(input: Input): Promise<unknown> {
  const told: Trial = input.body_encoding ? {} : Object(input.body);
  const run = await countRun(input);
  if (new URLSearchParams(input.query).has('echo')) return input;
  if (told.sleep) await sleep(told.sleep);
  const attempts = await attempt(told.flaky ?? 0);
  if (told.throws) throw new Error(told.throws);
  if (told.fails) {
    const { message, type, details } = told.fails;
    throw ApplicationFailure.create({ message, type, details, nonRetryable: true });
  }
  if (told.random) return { ...Object(told.returns?.[0]), [told.random]: uuid4() };
  return told.returns ? told.returns[Math.min(run, told.returns.length) - 1] : { doc_id: input.doc_id, run, attempts };
}

async function trialSupport(): Promise<Support> {
  const { types, updates = [], ...rest } = await support();
  return { ...rest, types: [...types, 'Trial', 'TrialByClose'], updates: [...updates, 'Trial'] };
}

export { trialSupport as 'sluice.shadow-support', trialSupport as 'sluice.worker-support' };
