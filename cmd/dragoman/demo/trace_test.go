package demo

import (
	"bytes"
	"strings"
	"testing"
)

// TestStepsFit prints a step of a message on screens of several widths.
func TestStepsFit(t *testing.T) {
	t.Parallel()
	for columns, lines := range map[int]int{120: 1, 80: 2, 60: 3} {
		var b bytes.Buffer
		tracer := newTracer(newScreen(&b))
		tracer.out.columns = columns
		tracer.show(traceLine{network: "Discord", direction: directionOut, step: "3 acknowledged", room: "#tournaments", text: "the network's id of the message is kept beside the stanza's"})
		got := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(got) != lines {
			t.Errorf("%d columns: %d lines, want %d: %q", columns, len(got), lines, got)
		}
		for _, l := range got {
			if columnsIn(l) > columns || !strings.Contains(l, " ") {
				t.Errorf("%d columns: %q", columns, l)
			}
		}
	}
}
