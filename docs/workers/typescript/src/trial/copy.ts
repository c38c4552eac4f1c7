// Copies all payloads of one claim check's directory to another, by the driver: the tests
// compare what it reads and writes with what the gateway does. Their metadata are given to
// it in another order, in which they may come as well.
import { readdirSync } from 'node:fs';
import { StorageDriverClaim } from '@temporalio/common';
import { DirectoryDriver } from '../claimcheck';

async function copy(from: string, to: string, shared: boolean): Promise<void> {
  const names = readdirSync(from, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const claims = names.map(({ name }) => new StorageDriverClaim({ sha256: name }));
  const payloads = await new DirectoryDriver(from).retrieve({}, claims);
  const reordered = payloads.map((payload) => ({
    ...payload,
    metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).reverse()),
  }));
  await new DirectoryDriver(to, shared).store({}, reordered);
}

const [from = '', to = '', sharedBy] = process.argv.slice(2);
void copy(from, to, sharedBy === 'group');
