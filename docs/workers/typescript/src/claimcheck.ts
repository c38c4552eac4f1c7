import { createHash, randomUUID } from 'node:crypto';
import { access, chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Payload, type StorageDriver, StorageDriverClaim } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

// The SDK 1.24.0 reads a claim only if all its parts share one copy of protobufjs, which
// package.json therefore names: npm then puts that at the top.
const { Payload: Message } = temporal.api.common.v1;

/**
 * Sluice's claim check in a directory, which the gateway and all workers share. A payload
 * is a file that is named by the SHA-256 of its protobuf message, below a directory of the
 * first two digits. A file that is there is whole: it is written aside, synced and renamed.
 */
export class DirectoryDriver implements StorageDriver {
  readonly name = 'sluice.directory';
  readonly type = 'sluice.directory';

  /** With `shared` the processes of several users share it, which are in its group. */
  constructor(
    private readonly root: string,
    private readonly shared = false,
  ) {}

  store(_: unknown, payloads: Payload[]): Promise<StorageDriverClaim[]> {
    return Promise.all(payloads.map((payload) => this.write(payload)));
  }

  retrieve(_: unknown, claims: StorageDriverClaim[]): Promise<Payload[]> {
    return Promise.all(claims.map((claim) => this.read(claim.claimData['sha256'] ?? '')));
  }

  private async write(payload: Payload): Promise<StorageDriverClaim> {
    const data = Message.encode({ ...payload, metadata: sorted(payload.metadata) }).finish();
    const sha256 = digestOf(data);
    const path = this.path(sha256);
    if (!(await exists(path))) {
      await this.makeDirectory(this.root);
      await this.makeDirectory(dirname(path));
      const draft = join(this.root, `.writing-${randomUUID()}`);
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(data);
        await file.chmod(this.shared ? 0o640 : 0o600);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    }
    return new StorageDriverClaim({ sha256 });
  }

  private async makeDirectory(path: string): Promise<void> {
    const mode = this.shared ? 0o2770 : 0o750;
    // The umask may take some away.
    if (await mkdir(path, { recursive: true })) await chmod(path, mode);
  }

  private async read(sha256: string): Promise<Payload> {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`claim check: "${sha256}" is not a SHA-256`);
    const data = await readFile(this.path(sha256));
    if (digestOf(data) !== sha256) throw new Error(`claim check: ${this.path(sha256)} is damaged`);
    return Message.decode(data);
  }

  private path(sha256: string): string {
    return join(this.root, sha256.slice(0, 2), sha256);
  }
}

const exists = (path: string) => access(path).then(() => true, () => false);

const digestOf = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

/** Equal payloads are equal bytes, and so one file, only if their members have an order. */
function sorted(metadata: Payload['metadata']): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}
