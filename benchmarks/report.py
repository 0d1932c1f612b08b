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

#: Tables whose command is not `make table-NAME`.
OWN_COMMANDS = {
    "dualpath": "make ablation",
    "drpl_ablation": "make drpl-ablation",
    "drpl_terms": "make drpl-terms",
    "adapt": "make adapting",
}

#: Tables as the two papers have them: what such a table is, and the parts above that make it.
PAPERS = (
    ("Lytro, pairs: metrics without truth", ("lytro",)),
    ("Lytro, triples", ("lytro3",)),
    ("MFFW; grey pairs", ("mffw", "gray10")),
    ("MFI-WHU and made sets: PSNR and SSIM with truth", ("mfi_whu", "quality")),
    ("Parameters, multiply-adds, seconds", ("cost", "speed")),
    ("Dual-Path's ablation: masking, evidence, measures, unrolled steps", ("dualpath",)),
    ("DRPL's ablation: mask loss, gradient, SSIM", ("drpl_ablation",)),
    ("Our DRPL beside the pictures of its authors", ("agreement",)),
    ("Stacks: the order in which pairs are folded", ("fold_order",)),
)

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
    "lytro3": (
        "Lytro, 3 frames a scene",
        "No truth; as above, with three frames.",
        "panfocus evaluate",
    ),
    "mffw": (
        "MFFW, pairs whose defocus spreads",
        "No truth; as above, but frames that do not lie on each other are moved (`--align auto`), "
        "and pictures are compared with the moved frames. Metrics that reward detail reward halos "
        "here: docs/metrics.md.",
        "panfocus evaluate",
    ),
    "gray10": (
        "Ten grey pairs",
        "No truth; as above.",
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
    "cost": (
        "What every system costs",
        "Parameters and multiply-adds, and CPU seconds of a fusion in a process that runs already.",
        "benchmarks/cost.py",
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
    "page": (
        "The page",
        "How long does a user wait for a draft, what does it take to mend a fault of 60 pixels, "
        "and how much memory has a server with a hundred frames? Scripted users in a real "
        "Chromium; what else runs on the machine lengthens the clock's seconds.",
        "benchmarks/page.py",
    ),
    "batch": (
        "Batches",
        "Do two workers do twice as much as one, and is anything lost when one of three is killed?",
        "benchmarks/batch_scaling.py",
    ),
    "large_scenes": (
        "Large pictures that are sharp to the pixel",
        "What do they lose by being decided at a reduced scale? Scenes by themselves, and four by "
        "four in one picture of 3.4 million pixels and more; spread light left.",
        "benchmarks/large_scenes.py",
    ),
    "wide_blurs": (
        "Wide blurs",
        "Things before a background, or before a ground that slopes, out of focus by so many "
        "pixels at most: what do systems make of it, with spread light mended and without?",
        "benchmarks/wide_blurs.py",
    ),
    "wide_lights": (
        "Lights that are wide discs",
        "A thing before a background with forty lights, discs of so many pixels where they are out "
        "of focus: what do systems make of them, spread light left?",
        "benchmarks/wide_lights.py",
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
    "drpl_ablation": (
        "What each term of DRPL's loss adds",
        "The paper's ablation: mask regression alone, with the gradient term, with the structure "
        "term, with both; the same seed and number of steps each, far fewer than the paper's.",
        "benchmarks/drpl_ablation.py",
    ),
    "drpl_terms": (
        "Whether the paper's terms should lead",
        "Shares of the terms in the loss of the bundled weights and in its gradient, and the "
        "bundled weights trained on by the recipe `better` and with the paper's terms leading.",
        "benchmarks/drpl_loss_shares.py, benchmarks/drpl_ablation.py",
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


def command_for(name: str) -> str:
    """Return what makes one table."""
    return OWN_COMMANDS.get(name, f"make table-{name}")


def papers() -> list[str]:
    """Return the lines that say which command makes which table of the papers."""
    rows = [
        f"| {what} | {', '.join(f'`{command_for(name)}`' for name in names)} |"
        for what, names in PAPERS
    ]
    return ["## Tables of the papers", "", "| table | command |", "|---|---|", *rows]


def main() -> None:
    """Write the page."""
    parts, page = Path(sys.argv[1]), Path(sys.argv[2])
    lines = [
        "# Results",
        "",
        f"Put together {date.today()} by `benchmarks/report.py` from what the commands printed; no "
        f"number was typed. Machine: {machine()}. `make bench` makes it all again; the command "
        "that stands with a table makes that one, and `make results` this page.",
        "",
        *papers(),
    ]
    for name, (title, question, command) in PARTS.items():
        path = parts / f"{name}.md"
        if not path.exists():
            continue
        body = path.read_text(encoding="utf-8").strip()
        body = "\n".join(f"##{row}" if row.startswith("#") else row for row in body.splitlines())
        lines += [
            "",
            f"## {title}",
            "",
            f"{question} (`{command_for(name)}`: `{command}`)",
            "",
            body,
        ]
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
