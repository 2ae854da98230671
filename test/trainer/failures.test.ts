/** @file Errors of the training thread, as Temporal failures: which are tried again, and what they advise. */
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { NonFiniteLoss } from '../../activities/policy/training/errors.ts';
import { throwTrainerFailure } from '../../activities/trainer/failures.ts';

function failureOf(error: unknown): unknown {
  try {
    throwTrainerFailure(error);
  } catch (failure) {
    return failure;
  }
}

test('a loss that is not finite is not tried again, and the failure says what to do', () => {
  expect(failureOf(new NonFiniteLoss('optimiser step 3: got NaN'))).toMatchObject({
    type: 'NonFiniteLoss',
    nonRetryable: true,
    message: expect.stringMatching(/^optimiser step 3: got NaN\. What to do: .*smaller learning rate/),
  });
});

test('memory that runs out is tried again', () => {
  expect(failureOf(new RangeError('Array buffer allocation failed'))).toMatchObject({ type: 'OutOfMemory', nonRetryable: false });
});

test('failures of Temporal and errors without advice stay what they are', () => {
  const cancelled = ApplicationFailure.create({ message: 'cancelled', type: 'Other' });
  expect(failureOf(cancelled)).toBe(cancelled);
  const unknown = new Error('something else');
  expect(failureOf(unknown)).toBe(unknown);
});
