package richtext

import "slices"

// tickRun is a run of backticks, from begin on, and where the next run of the same length begins; -1 where there is none.
type tickRun struct{ begin, end int }

// shortRun is below which length runs of backticks are paired without a map.
const shortRun = 16

// tickRuns pairs each run of backticks in a line with the next one of the same length.
func tickRuns(line string) (runs []tickRun) {
	var short [shortRun]int // by length: the number of the run that is not paired, plus 1
	var long map[int]int
	for i := 0; i < len(line); {
		if line[i] != '`' {
			i++
			continue
		}
		begin := i
		for i < len(line) && line[i] == '`' {
			i++
		}
		width, before := i-begin, 0
		runs = append(runs, tickRun{begin, -1})
		if width < shortRun {
			before, short[width] = short[width], len(runs)
		} else {
			if long == nil {
				long = map[int]int{}
			}
			before, long[width] = long[width], len(runs)
		}
		if before > 0 {
			runs[before-1].end = begin
		}
	}
	return runs
}

// codeEnd is where the run begins that is paired with the one at i.
func codeEnd(runs []tickRun, i int) (end int, paired bool) {
	at, found := slices.BinarySearchFunc(runs, i, func(r tickRun, i int) int { return r.begin - i })
	if !found || runs[at].end < 0 {
		return 0, false
	}
	return runs[at].end, true
}
