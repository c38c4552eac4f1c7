import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { ApplicationFailure } from '@temporalio/common';
import type { Answer, Input } from './contract';

/** Where documents are stored, one file each. */
export interface Store {
  directory: string;
  /** The store of shadow runs, which leave nothing in the real one. */
  shadow: boolean;
}

export interface Stored {
  bytes: number;
  sha256: string;
}

export type Activities = ReturnType<typeof activities>;

/** The activities of the workers of one task queue: they have one store, and no way to another. */
export function activities(store: Store) {
  return {
    async storeDocument(input: Input): Promise<Stored> {
      refuseUnless(input.shadow === store.shadow);
      const document = decoded(input);
      await write(store.directory, fileName(input), document);
      return { bytes: document.length, sha256: createHash('sha256').update(document).digest('hex') };
    },
  };
}

/** A shadow run on the real task queue, or a real one on the shadow's, is not served. */
export function refuseUnless(ours: boolean): void {
  if (!ours) throw ApplicationFailure.nonRetryable('the document came on the wrong task queue', 'WrongTaskQueue');
}

/**
 * The bytes of the body. A JSON value is written anew: white space is gone, and JavaScript
 * has no integers above 2^53. Where that counts, give the route `body: bytes`.
 */
function bytesOf(input: Input): Buffer {
  switch (input.body_encoding ?? '') {
    case '':
      return Buffer.from(JSON.stringify(input.body));
    case 'base64':
      return Buffer.from(input.body as string, 'base64');
    default:
      throw ApplicationFailure.nonRetryable(`the body has the unknown encoding ${input.body_encoding}`, 'UnknownEncoding');
  }
}

/** The body without its codings, which are undone in reverse. */
function decoded(input: Input): Buffer {
  const codings = (input.content_encoding ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  return codings.reverse().reduce(undo, bytesOf(input));
}

function undo(body: Buffer, coding: string): Buffer {
  switch (coding) {
    case '':
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(body);
    case 'deflate':
      return inflateSync(body);
    case 'br':
      return brotliDecompressSync(body);
  }
  const refusal: Answer = { status: 415, headers: { 'Accept-Encoding': 'gzip, deflate, br' }, body: { error: 'coding', coding } };
  throw ApplicationFailure.nonRetryable(`the body is in the coding ${coding}`, 'UnsupportedCoding', refusal);
}

/** A document is tenant and doc_id, and neither is fit for a file's name. */
export function fileName(input: Input): string {
  return createHash('sha256').update(`${input.tenant ?? ''}\0${input.doc_id}`).digest('hex');
}

/** Writes a file that is whole when it is there. A repeat changes nothing. */
async function write(directory: string, name: string, data: Uint8Array): Promise<void> {
  await mkdir(directory, { recursive: true });
  const draft = join(directory, `.writing-${randomUUID()}`);
  await writeFile(draft, data);
  await rename(draft, join(directory, name));
}
