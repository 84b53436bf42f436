#!/bin/bash
# The long simulations, optimized and without sanitizers, in two processes with half of the seeds each.
#
#   scripts/sim.sh PROGRAM      from make sim
#
# SETS=N of the scenario "admitted", JOBS=N of each hart of it, MORE=N sets of each other scenario, SEED=N
# of the first set. Prints one line for each scenario, and last "N passed, N failed".
set -u
program=$1
sets=${SETS:-100000} jobs=${JOBS:-2500} more=${MORE:-100000} seed=${SEED:-1}
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT

half() # SEED LOG
{
	SEED=$1 HARTS=4 JOBS=$jobs RUNS=$((sets / 2)) "$program" edf_admitted >"$2" 2>&1
	for name in edf_refused edf_isolates edf_changes edf_critical; do
		SEED=$1 JOBS=500 RUNS=$((more / 2)) "$program" $name >>"$2" 2>&1
	done
}

half "$seed" "$logs/1" & one=$!
half $((seed + (sets > more ? sets : more) / 2)) "$logs/2" & two=$!
wait $one $two
cat "$logs/1" "$logs/2" | grep -v -E ' sets, | passed, |^criticality: mode'
awk -F': ' '
	/ sets, / {
		split($2, n, " ")
		if (!($1 in sets)) order[++count] = $1
		sets[$1] += n[1]; jobs[$1] += n[3]; misses[$1] += n[5]
		seeds[$1] = seeds[$1] (seeds[$1] ? " and " : "") n[8] " to " n[10]
	}
	/ passed, / { split($2, n, " "); passed += n[1]; failed += n[3] }
	END {
		for (i = 1; i <= count; i++) {
			s = order[i]
			printf "%s: %d sets, %.0f jobs, %d misses, seeds %s\n", s, sets[s], jobs[s], misses[s], seeds[s]
		}
		printf "%d passed, %d failed\n", passed, failed
		exit failed != 0 || passed == 0
	}' "$logs/1" "$logs/2"
