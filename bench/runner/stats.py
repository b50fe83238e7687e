"""The median of some pairs' ratios and how far it may be off."""
import dataclasses
import math
import statistics

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Interval:
    """Of a median, by order statistics: the `rank`-th smallest value and the `rank`-th largest. Whatever the values'
    distribution is, its median lies between them with probability `coverage`. With fewer than six values
    no pair of ranks reaches 0.95: the interval is then the whole range, and `coverage` says how little that is."""
    median: float
    low: float
    high: float
    rank: int
    count: int
    coverage: float

    @property
    def is_confident(self):
        return self.coverage >= CONFIDENCE


def coverage(count, rank):
    """How often the median lies between the rank-th smallest and the rank-th largest of `count` values."""
    outside = sum(math.comb(count, i) for i in range(rank)) / 2 ** count
    return 1 - 2 * outside


def interval(values):
    """The narrowest Interval that covers at least 95 %, else the widest there is."""
    values = sorted(values)
    if not values:
        raise ValueError("no values")
    rank = 1
    while rank + 1 <= (len(values) + 1) // 2 and coverage(len(values), rank + 1) >= CONFIDENCE:
        rank += 1
    return Interval(statistics.median(values), values[rank - 1], values[-rank], rank, len(values),
                    coverage(len(values), rank))


def bucket_median(buckets):
    """The median of counts by upper bound, [(bound, count)] in rising order, taken evenly inside a bucket; the last
    bound may be infinite and counts as its lower one. None: nothing was counted."""
    total = sum(count for _, count in buckets)
    passed, low = 0, 0.0
    for bound, count in buckets:
        if count and passed + count >= total / 2:
            if math.isinf(bound):
                return low
            return low + (bound - low) * (total / 2 - passed) / count
        passed += count
        low = bound
    return None
