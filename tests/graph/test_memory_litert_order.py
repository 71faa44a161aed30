"""Ties fall as libstdc++ lets them fall: compared with a program that it is compiled into."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_edgebudget.graph.memory_litert_order import hash_order, std_sort

PROGRAM = r"""
#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>
int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    std::vector<int> numbers;
    for (int n; words >> n;) numbers.push_back(n);
    if (kind == "set") {
      std::unordered_set<int> set;
      for (int n : numbers) set.insert(n);
      for (int n : set) std::cout << n << ' ';
    } else {
      std::vector<std::pair<int, int>> items;
      for (int n : numbers) items.emplace_back(n, static_cast<int>(items.size()));
      std::sort(items.begin(), items.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
      for (const auto& item : items) std::cout << item.second << ' ';
    }
    std::cout << '\n';
  }
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    folder = tmp_path_factory.mktemp("order")
    (folder / "order.cc").write_text(PROGRAM)
    command = [compiler, "-O1", "-std=c++17", "order.cc", "-o", "order"]
    subprocess.run(command, cwd=folder, check=True, timeout=120)
    return folder / "order"


def ask(program: Path, kind: str, rows: list[list[int]]) -> list[list[int]]:
    text = "".join(f"{kind} {' '.join(map(str, row))}\n" for row in rows)
    done = subprocess.run(
        [program], input=text, capture_output=True, text=True, check=True, timeout=60
    )
    return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


def test_sets_of_numbers_are_iterated_over_as_in_cpp(program: Path) -> None:
    choose = random.Random(1)
    counts = [1, 2, 3, 12, 13, 14, 15, 29, 30, 59, 60, 200, 600, 6_000]
    rows = [choose.sample(range(20_000), count) for count in counts * 3]
    rows += [list(range(5, 5 + count)) for count in counts]
    assert [hash_order(row) for row in rows] == ask(program, "set", rows)


def test_what_compares_equal_is_left_as_cpp_leaves_it(program: Path) -> None:
    choose = random.Random(2)
    rows = [
        [choose.randrange(values) for _ in range(count)]
        for count in (1, 2, 15, 16, 17, 18, 33, 100, 1_000, 5_000)
        for values in (1, 2, 3, 10, 100)
    ]
    assert [std_sort([(0, n, 0) for n in row]) for row in rows] == ask(program, "sort", rows)
