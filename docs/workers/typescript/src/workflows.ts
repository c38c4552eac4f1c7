import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from './activities';
import { answering } from './answering';
import type { Answer, Input, Support } from './contract';

// doc:begin workflow
const { storeDocument } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '200 ms', maximumAttempts: 5 },
});

/** Ingests an invoice, which is JSON. Its route has `result: update`. */
export function IngestInvoice(input: Input): Promise<Answer> {
  return answering(ingestInvoice(input));
}

async function ingestInvoice(input: Input): Promise<Answer> {
  const invoice = invoiceOf(input);
  if (new URLSearchParams(input.query).get('dry_run') === 'true') {
    return { status: 200, body: { doc_id: input.doc_id, total: invoice.total, stored: false } };
  }
  await storeDocument(input);
  return {
    status: 201,
    headers: { Location: `${input.path}/${encodeURIComponent(input.doc_id)}` },
    body: { doc_id: input.doc_id, total: invoice.total, stored: true, build: buildID() },
  };
}
// doc:end workflow

/** Ingests a scan, which is any bytes. Its route has `result: close`. */
export async function IngestScan(input: Input): Promise<Answer> {
  const { bytes, sha256 } = await storeDocument(input);
  return { status: 201, headers: { 'X-Kind': 'scan', 'X-Sum': ['sha256', sha256] }, body: { doc_id: input.doc_id, bytes } };
}

// doc:begin failures
function invoiceOf(input: Input): { total: number } {
  const { total, currency } = Object(input.body);
  if (input.body_encoding || typeof total !== 'number') {
    // The type stands in the route's `failures`, which gives the status; the client
    // gets the message.
    throw ApplicationFailure.nonRetryable('an invoice is a JSON object with a total', 'InvalidDocument');
  }
  if (currency !== undefined && currency !== 'EUR') {
    // The first detail is an answer: what the legacy service answers here.
    const refusal: Answer = { status: 409, headers: { 'X-Kind': 'refusal' }, body: { error: 'currency', supported: ['EUR'] } };
    throw ApplicationFailure.nonRetryable(`no invoices in ${currency}`, 'UnsupportedCurrency', refusal);
  }
  return { total };
}
// doc:end failures

// doc:begin support
const buildID = () => workflowInfo().currentDeploymentVersion?.buildId ?? '';

/** Says what the workers can, on the real task queue as on the shadow's. */
async function support(): Promise<Support> {
  return {
    types: ['IngestInvoice', 'IngestScan'],
    updates: ['IngestInvoice'],
    claim_check: ['sluice.directory'],
    build_id: buildID(),
  };
}

export { support as 'sluice.shadow-support', support as 'sluice.worker-support' };
// doc:end support
