"""Supervises fake engines: ``supervise_fakes.py FOLDER OPTIONS BEHAVIOUR…``, the last of them again and again."""

import json
import os
import sys
from pathlib import Path

from nodegraph.headless.logs import Log, LogFile
from nodegraph.headless.notify import Notify
from nodegraph.headless.supervising import Supervisor, echo

folder, options, behaviours = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
count = 0


def command(beats):
    global count
    behaviour = behaviours[min(count, len(behaviours) - 1)]
    count += 1
    fake = str(Path(__file__).with_name("fake_engine.py"))
    return [sys.executable, "-S", "-E", fake, behaviour, str(beats), str(folder / "engines")]


log = Log(LogFile(folder / "log"), echo)
supervisor = Supervisor(command, log, Notify(), **options)
(folder / "supervisor").write_text(str(os.getpid()))
code = supervisor.run()
log.close()
sys.exit(code)
