"""The table of a round: what was tried, what was lost, how soon it went on.

SPDX-License-Identifier: MIT
"""
import statistics

HEADINGS = ("fault", "times", "lost", "counted twice", "worst s to next settled", "median", "runs: status 0", "3",
            "failed batches")


class Row:
    """All that is known of one fault."""

    def __init__(self):
        self.times = self.lost = self.doubled = self.failed = 0
        self.seconds = []
        self.statuses = {0: 0, 3: 0}
        self.verdicts = set()

    def summary(self):
        return f"{self.times} times" + (f", worst {max(self.seconds):.2f} s" if self.seconds else "")

    def cells(self, fault):
        worst = f"{max(self.seconds):.2f}" if self.seconds else "–"
        median = f"{statistics.median(self.seconds):.2f}" if self.seconds else "–"
        return (fault, self.times, self.lost, self.doubled, worst, median, self.statuses[0], self.statuses[3],
                self.failed)


class Table:
    """Takes what the units tell."""

    def __init__(self):
        self.rows = {}

    def row(self, fault):
        return self.rows.setdefault(fault, Row())

    def take(self, said):
        if "fault" in said:
            row = self.row(said["fault"])
            row.times += 1
            if said["seconds"] is not None:
                row.seconds.append(said["seconds"])
        elif "run" in said:
            row = self.row(said["run"])
            row.statuses[said["status"]] += 1
            row.lost += said["lost"]
            row.doubled += said["doubled"]
            row.failed += said["failed"]
            row.verdicts.update(said["verdicts"])

    def slow(self, limit):
        """Faults after which it took longer than `limit` seconds."""
        return [(fault, max(row.seconds)) for fault, row in self.rows.items()
                if row.seconds and max(row.seconds) > limit]

    def lines(self):
        """Markdown, aligned so that it reads well on a terminal too."""
        cells = [[str(cell) for cell in row.cells(fault)] for fault, row in self.rows.items()]
        widths = [max(len(line[i]) for line in [list(HEADINGS), *cells]) for i in range(len(HEADINGS))]
        yield self._line(HEADINGS, widths)
        yield "| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)) + " |"
        for line in cells:
            yield self._line(line, widths)

    @staticmethod
    def _line(cells, widths):
        aligned = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(aligned) + " |"
