# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures: spread, ratio, rounding, and the table."""

import unittest

import support  # noqa: F401  makes harness importable

from harness.results import Result, Spread, number, plain, ratio_of, rounded, table


class SpreadTest(unittest.TestCase):
    def test_is_the_median_between_the_extremes(self):
        self.assertEqual(Spread.of([5, 1, 9, 2, 3]), Spread(3, 1, 9, 5))
        self.assertEqual(Spread.of([1, 2]), Spread(1.5, 1, 2, 2))
        self.assertEqual(Spread.of(iter([4])), Spread(4, 4, 4, 1))


class RatioTest(unittest.TestCase):
    def test_is_taken_round_by_round(self):
        # Of the medians it would be 1.
        self.assertEqual(ratio_of([1, 2, 3], [2, 1, 2]), Spread(1.5, 0.5, 2, 3))

    def test_needs_as_many_rounds_on_both_sides(self):
        with self.assertRaises(ValueError):
            ratio_of([1, 2], [1])

    def test_judges_the_median_ratio(self):
        def met(least):
            return Result.beside(
                [6, 6, 1],
                [10, 10, 10],
                case="fanout",
                variant="",
                unit="deliveries/s",
                holds=lambda ratio: ratio >= least,
            ).met

        self.assertIs(met(0.6), True)
        self.assertIs(met(0.61), False)


class RoundedTest(unittest.TestCase):
    def test_keeps_three_digits(self):
        self.assertEqual(rounded(0.012345), 0.0123)
        self.assertEqual(rounded(12.345), 12.3)
        self.assertEqual(rounded(123456.7), 123457)
        self.assertEqual(rounded(-1234.5), -1234)

    def test_leaves_the_rest_alone(self):
        for value in (None, True, 1234567, "12.345"):
            self.assertIs(rounded(value), value)

    def test_reaches_everything_in_json(self):
        self.assertEqual(plain({"a": [0.12345, {"b": (1.2345,)}]}), {"a": [0.123, {"b": [1.23]}]})

    def test_is_what_the_table_shows(self):
        self.assertEqual([number(x) for x in (1234.5, 0.01234, 7)], ["1,234", "0.0123", "7"])


class TableTest(unittest.TestCase):
    def cells(self, result):
        lines = table([result]).split("\n")
        self.assertEqual(len(lines), 3)
        self.assertEqual(len({len(line) for line in lines}), 1, "columns are aligned")
        return [cell.strip() for cell in lines[2].strip("|").split("|")]

    def test_shows_all_of_a_result(self):
        result = Result(
            case="fanout",
            variant="N = 10",
            unit="deliveries/s",
            measured=Spread(20000, 19000.4, 21000, 3),
            reference=Spread(40000, 1, 2, 3),
            ratio=Spread(0.5, 1, 2, 3),
            goal=">= 0.60 x limit",
            met=False,
            cost={"peak_mib": 12.34, "connections_per_1000": 0},
        )
        self.assertEqual(
            self.cells(result),
            [
                "fanout, N = 10",
                "20,000; 19,000 … 21,000 deliveries/s",
                "40,000",
                "0.50",
                ">= 0.60 x limit",
                "no",
                "peak_mib 12.3, connections_per_1000 0",
            ],
        )

    def test_leaves_empty_what_there_is_not(self):
        result = Result(case="limit", variant="", unit="requests/s", measured=Spread(7, 7, 7, 1))
        self.assertEqual(self.cells(result), ["limit", "7 requests/s", "", "", "", "", ""])


if __name__ == "__main__":
    unittest.main()
