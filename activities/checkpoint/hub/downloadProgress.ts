/** @file What a person sees of a download: which file, how much of it is there. */
import type { HubName } from '../../../core/model/hubName.ts';
import type { HubFile } from './hubListing.ts';

/** Where lines for people go. */
export type Tell = (line: string) => void;

export interface DownloadProgress {
  /** A line at once for the first of all files, then at most one in `everyMs`. */
  at(doing: 'downloading' | 'checking', file: HubFile, bytes: number): void;
  waitFor(file: HubFile, holder: string): void;
}

const everyMs = 2_000;

/** Of all files of one model. */
export function downloadProgress({ repo }: HubName, tell: Tell = () => undefined, nowMs: () => number = () => performance.now()): DownloadProgress {
  let saidMs = Number.NEGATIVE_INFINITY;
  return {
    at(doing, { path, size }, bytes) {
      if (nowMs() - saidMs < everyMs) return;
      saidMs = nowMs();
      tell(`${doing} ${path} of ${repo}: ${bytes.toLocaleString('en')} of ${size.toLocaleString('en')} bytes`);
    },
    waitFor({ path }, holder) {
      tell(`${path} of ${repo}: waiting for ${holder}, which downloads it`);
    },
  };
}
