"""The table of verbs. Light on imports: a verb's libraries load with the verb."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """A row of the verb table. `function`: what is called, as module:name. `files`: keys that words
    without a key are given to. `configs`: of conf/, in which its keys are; by default the one of
    its name. `unused`: keys in them that the verb would not read.
    """

    function: str
    summary: str
    files: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    unused: str = ""


VERBS = {
    "demo": Verb("cli.person:demo", "move the Mona Lisa"),
    "animate": Verb("cli.pairs:animate", "drive a person's images with a video or a template"),
    "live": Verb("cli.live:main", "a person moves as you do before a camera, at once"),
    "web": Verb("cli.web:main", "the page in the browser, on this machine only"),
    "finetune": Verb(
        "cli.person:finetune", "learn one person and keep the result for `animate person=`"
    ),
    "template": Verb(
        "cli.template:make",
        "a video's motion as landmarks alone, for driving=: VIDEO",
        files=("video",),
    ),
    "template show": Verb(
        "cli.template:show", "a template as an image or a video: TEMPLATE", files=("template",)
    ),
    "export": Verb(
        "cli.person:export", "a saved person as an ONNX file, for programs without PyTorch"
    ),
    "data sitters": Verb(
        "cli.data:sitters", "synthetic talking heads become a clip store (n=... out=...)"
    ),
    "preprocess": Verb(
        "cli.preprocess:main",
        "a data set of videos becomes a clip store (data=voxceleb2 root=... out=...)",
    ),
    "data inspect": Verb("cli.data:inspect", "what is in a clip store: STORE", files=("store",)),
    "data verify": Verb(
        "cli.data:verify", "every file of a clip store against its hash: STORE", files=("store",)
    ),
    "train": Verb("cli.train:main", "meta-train on a store of clips (-cn EXPERIMENT)"),
    "eval": Verb(
        "benchmark.rows:run_row",
        "score a model, a baseline or the ceiling: one row of a table (-cn EXPERIMENT)",
        configs=("evaluate",),
        unused="consent",
    ),
    "table": Verb(
        "benchmark.rows:run_table",
        "all rows of a data set (-cn EXPERIMENT)",
        configs=("study/table", "evaluate"),
        unused="T consent method",
    ),
    "report": Verb(
        "cli.scoring:report",
        "a page of tables from result files: [FOLDER] [PAGE]",
        files=("results", "out"),
    ),
    "figures": Verb(
        "benchmark.figures:draw_figures",
        "grids, quality against T, the worst 5 %, videos (-cn EXPERIMENT)",
        configs=("study/figures", "evaluate"),
        unused="detector frames scorers",
    ),
    "claims": Verb(
        "studies.claims.run:run_claims",
        "do the paper's claims hold? trainings, rows, verdicts (-cn claims)",
        configs=("study/claims", "evaluate"),
        unused="T consent drivers frames method seed sitters start weights weights_ff",
    ),
    "curves": Verb(
        "studies.finetune_curves.run:run_curves",
        "how long to fine-tune? identity against motion, over updates (-cn finetuning_curves)",
        configs=("study/curves", "evaluate"),
        unused="T consent frames method mode motion start weights_ff",
    ),
    "ablations": Verb(
        "studies.ablations.run:run_ablations",
        "what a part, a loss, a setting buys: short trainings, scored (-cn ablations)",
        configs=("study/ablations", "evaluate"),
        unused="T consent frames method mode motion weights weights_ff",
    ),
    "forensics": Verb(
        "studies.forensics.run:run_forensics",
        "can a detector find a row's frames? AUC on unseen people (-cn EXPERIMENT)",
        configs=("study/forensics", "evaluate"),
        unused="consent",
    ),
    "protect": Verb("cli.protect:protect", "noise in an image, so that it is harder to animate"),
    "protection": Verb(
        "studies.protection.run:run_protection",
        "what protective noise is worth: identity and motion, paired (-cn EXPERIMENT)",
        configs=("study/protection", "evaluate"),
        unused="consent frames method",
    ),
    "userstudy prepare": Verb(
        "studies.userstudy.prepare:run_prepare",
        "triplets in which people look for the generated image (-cn EXPERIMENT)",
        configs=("study/userstudy", "evaluate"),
        unused="consent detector drivers frames results scorers",
    ),
    "userstudy serve": Verb(
        "cli.userstudy:serve", "the page of a user study, on this machine: STUDY", files=("folder",)
    ),
    "userstudy report": Verb(
        "cli.userstudy:report",
        "USER of each row, from the answers so far: STUDY",
        files=("folder",),
    ),
    "verify": Verb(
        "cli.verify:main", "what the credentials of files are worth: FILE ...", files=("files",)
    ),
}
