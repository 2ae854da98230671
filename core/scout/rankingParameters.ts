/** @file Every constant of static ranking in one place, so that one can be changed or switched off at a time: docs/log.md has what each is worth. */
import type { FieldWeights } from './bm25f.ts';
import type { IssueRole } from './issueText.ts';

export interface RankingParameters {
  /** What a term's first occurrence weighs, by the part of the issue it stands in. */
  readonly roles: Readonly<Record<IssueRole, number>>;
  /** Two neighbouring words of prose, read as one identifier. */
  readonly joinedWords: number;
  /** Where further occurrences of a term stop to add. */
  readonly repetition: number;
  readonly file: FieldWeights;
  readonly entity: FieldWeights;
  /** Terms of the file's path. */
  readonly path: number;
  /** Share of its best entity in a file's score. */
  readonly bestEntity: number;
  /** Share of its class in a method's score, and of the file in any entity's. */
  readonly ownClass: number;
  readonly ownFile: number;
  /** Classes gather the words of many lines: their scores are scaled by this. */
  readonly classScale: number;
  /** Added for what the issue names outright. */
  readonly named: {
    readonly path: number;
    readonly titleSymbol: number;
    readonly codeSymbol: number;
    readonly symbol: number;
    /** Share of a symbol's evidence that its file gets. */
    readonly symbolFile: number;
    readonly frame: number;
    /** Per frame further away from where it was raised. */
    readonly frameDecay: number;
  };
  /** Where a ranking leaves places free, neighbours by import of its first files take them; 0 files switch it off. */
  readonly imports: {
    readonly seeds: number;
    /** What more files than this import says nothing of the issue: its importers are left out. */
    readonly mostImporters: number;
  };
}

export const rankingDefaults: RankingParameters = {
  roles: { title: 3, prose: 1, inlineCode: 1.5, codeBlock: 0.7, traceback: 0.3 },
  joinedWords: 0.7,
  repetition: 1,
  //         name signature doc code string comment
  file: { weights: [6, 1.5, 1.2, 1, 0.7, 0.5], lengthNorms: [0.3, 0.5, 0.6, 0.6, 0.6, 0.6], saturation: 3 },
  entity: { weights: [6, 2, 2, 1, 0.8, 0.5], lengthNorms: [0.2, 0.4, 0.5, 0.6, 0.6, 0.6], saturation: 1.4 },
  path: 0.6,
  bestEntity: 0.5,
  ownClass: 0.1,
  ownFile: 0.3,
  classScale: 0.4,
  named: { path: 0.6, titleSymbol: 0.2, codeSymbol: 0.25, symbol: 0.2, symbolFile: 0.5, frame: 0.3, frameDecay: 0.5 },
  imports: { seeds: 3, mostImporters: 8 },
};
