/** @file The pieces of a choice with calls of tools taken out of their text. Log-probabilities stay with the piece that their tokens came in. */
import type { ChoiceEnd, Piece } from './choice.ts';
import { ToolCalls } from './toolCalls.ts';
import type { ToolFormat } from './toolFormat.ts';

export class CalledPieces {
  readonly #calls: ToolCalls;

  /** Without a format pieces stay as they are. */
  constructor(format: ToolFormat | undefined, offered: readonly string[]) {
    this.#calls = new ToolCalls(format, offered);
  }

  push(piece: Piece): Piece {
    return { ...piece, ...this.#calls.push(piece.text) };
  }

  end(end: ChoiceEnd): ChoiceEnd {
    const last = this.#calls.push(end.piece.text);
    const rest = this.#calls.end();
    return { ...end, piece: { ...end.piece, text: last.text + rest.text, calls: [...last.calls, ...rest.calls] } };
  }
}
