#!/bin/bash
# The long simulations, in two processes with half of the seeds each: of servers and admission, optimized and
# without sanitizers, and of the kernel's own scheduler, with them.
#
#   scripts/sim.sh EDF_SIM SCHED_SIM      from make sim
#
# SETS=N of the scenario "admitted", JOBS=N of each hart of it, MORE=N sets of each other scenario, SEED=N
# of the first set, DEPTH=N times the seeds of the scheduler's scenarios: at 6, more than a
# million times a mutex is taken or given back while priorities change (7 threads, 15 rounds, some 4 each, 1,920 runs at 1
# to 4 harts in each process). Prints one line for each scenario, and last "N passed, N failed".
set -u
program=$1 scheduler=$2 depth=${DEPTH:-6}
sets=${SETS:-100000} jobs=${JOBS:-2500} more=${MORE:-100000} seed=${SEED:-1}
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT

half() # SEED LOG
{
	SEED=$1 HARTS=4 JOBS=$jobs RUNS=$((sets / 2)) "$program" edf_admitted >"$2" 2>&1
	for name in edf_refused edf_isolates edf_changes edf_critical; do
		SEED=$1 JOBS=500 RUNS=$((more / 2)) "$program" $name >>"$2" 2>&1
	done
	for name in priority_is_that_of_all_that_is_held deadlines_domains_and_modes_in_a_storm; do
		SEED=$((1000000 + $1)) DEPTH=$depth "$scheduler" $name >>"$2" 2>&1
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
