// The contract between Sluice and the workflows that ingest its documents, as
// docs/workflows.md describes it. Members are only ever added.

/** The only argument of an ingestion workflow. */
export interface Input {
  doc_id: string;
  intent: string;
  life: number;
  route: string;
  tenant?: string;
  method: string;
  path: string;
  path_parts?: Record<string, string>;
  query?: string;
  content_type: string;
  content_encoding?: string;
  headers?: Record<string, string[]>;
  body: unknown;
  body_encoding?: '' | 'base64';
  delayed?: boolean;
  shadow: boolean;
}

/** A result in this form is an HTTP answer; any other JSON is the body of one. */
export interface Answer {
  status: number;
  headers?: Record<string, string | string[]>;
  body?: unknown;
  body_encoding?: '' | 'base64';
}

/** What the workers of a task queue can. */
export interface Support {
  types: string[];
  updates?: string[];
  claim_check?: string[];
  build_id?: string;
}
