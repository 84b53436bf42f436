#!/usr/bin/python3
"""compdb.py OUT COMMAND FLOAT_ISA KERNEL_ISA SOURCE...: compile_commands.json for editors."""
import json
import os
import sys

out, command, float_isa, kernel_isa, *sources = sys.argv[1:]
entries = []
for source in sources:
    isa = float_isa if source.startswith("user/app/") else kernel_isa
    words = [w for w in command.split() if not w.startswith("-march=")]
    entries.append({
        "directory": os.getcwd(),
        "file": source,
        "command": " ".join(words + [f"-march={isa}", "-c", source]),
    })
with open(out, "w") as f:
    json.dump(entries, f, indent=1)
