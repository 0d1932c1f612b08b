"""Put the tables that benchmarks wrote into one page: `report.py docs/results docs/results.md`.

Every part is a Markdown file that a benchmark printed; its title, its question and the command are
here, its numbers are not: no number on the page was typed.
"""

import os
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

#: file: title, what it answers, how it was made
PARTS = {
    "quality": (
        "Sets with known truth",
        "How near does each come to the truth, on the whole picture and where fusion is hard? "
        "`bound` chooses the closest source pixel everywhere.",
        "benchmarks/quality.py",
    ),
    "dim": (
        "Dim frames",
        "The same sets as a camera of 12 bits stores them in files of 16: what does that cost?",
        "benchmarks/quality.py --bits 12",
    ),
    "mfi_whu": (
        "MFI-WHU, 30 pairs",
        "Hard synthetic masks, JPEG. The frame of one or two bad pixels around some truths decides "
        "the uncut figure.",
        "benchmarks/pairs_with_truth.py",
    ),
    "lytro": (
        "Lytro, 20 pairs",
        "No truth: the metrics that papers report, all computed by `panfocus.metrics`. "
        "Which of them to trust: docs/metrics.md.",
        "panfocus evaluate",
    ),
    "sectioned": (
        "Fluorescence and the guard",
        "What is kept of spots and of optical sections, by the network alone and with the second "
        "opinion? The least share of a spot's light, spots that lose more than a tenth; the share "
        "of the light of structures; of files, the mean over the brightest tenth of the maximum "
        "projection, as a share of the projection's.",
        "benchmarks/sectioned.py",
    ),
    "agreement": (
        "Our DRPL beside its authors'",
        "How near are our fused pictures to those of the authors' own weights (JPEG, quality 75)?",
        "benchmarks/agreement.py",
    ),
    "breathing": (
        "Alignment",
        "What does a stack lose that breathes, beside the same stack that lies still, and does "
        "`auto` leave what lies still alone?",
        "benchmarks/breathing.py",
    ),
    "speed": (
        "Speed and memory",
        "Whole processes on the same files in turn; the floor decodes and encodes only.",
        "benchmarks/speed.py",
    ),
    "streaming": (
        "Memory against the number of frames",
        "Does memory stay when the stack grows?",
        "benchmarks/streaming.py",
    ),
    "batch": (
        "Batches",
        "Do two workers do twice as much as one, and is anything lost when one of three is killed?",
        "benchmarks/batch_scaling.py",
    ),
    "working_scale": (
        "Working scale",
        "What deciding at a reduced scale costs and saves.",
        "benchmarks/working_scale.py",
    ),
    "fold_order": (
        "Folding N frames by systems for two",
        "Which order and which left operand; a group of 8 is the set network asked once.",
        "benchmarks/fold_order.py",
    ),
    "dualpath": (
        "What each part of Dual-Path adds",
        "Of the recipes before both paths were joined. "
        "Teacher, predictor, every unrolled step; as a blend of the frames and as the fuser's own "
        "picture.",
        "benchmarks/dualpath_ablation.py",
    ),
    "adapt": (
        "Adapting to one's own material",
        "What `panfocus train dualpath --init bundled` says of itself, on frames held out before.",
        "benchmarks/adapting.py",
    ),
    "metrics_speed": (
        "Speed of the metrics",
        "One core, a colour triple.",
        "benchmarks/speed_metrics.py",
    ),
}


def machine() -> str:
    """Return one line on the machine and the versions."""
    facts = Path("/proc/cpuinfo")
    model = platform.processor() or platform.machine()
    if facts.exists():
        names = [n for n in facts.read_text().splitlines() if n.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    libraries = ", ".join(f"{n} {version(n)}" for n in ("numpy", "onnxruntime", "panfocus"))
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}"


def main() -> None:
    """Write the page."""
    parts, page = Path(sys.argv[1]), Path(sys.argv[2])
    lines = [
        "# Results",
        "",
        f"Put together {date.today()} by `benchmarks/report.py` from what the commands printed; no "
        f"number was typed. Machine: {machine()}. `make bench` makes it all again.",
    ]
    for name, (title, question, command) in PARTS.items():
        path = parts / f"{name}.md"
        if not path.exists():
            continue
        body = path.read_text(encoding="utf-8").strip()
        body = "\n".join(f"##{row}" if row.startswith("#") else row for row in body.splitlines())
        lines += ["", f"## {title}", "", f"{question} (`{command}`)", "", body]
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
