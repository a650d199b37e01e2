package entities

import "testing"

func TestChar(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]rune{
		"amp": '&', "lt": '<', "gt": '>', "apos": '\'', "quot": '"', "#65": 'A', "#x41": 'A', "#x1F600": 0x1F600, "#10": '\n',
		"": 0, "x": 0, "AMP": 0, "#": 0, "#x": 0, "#X41": 0, "#-1": 0, "#0": 0, "#x0": 0, "#8": 0, "#xD800": 0, "#xFFFE": 0, "#x110000": 0, "#99999999999": 0, "#4 1": 0,
	} {
		if got := Char([]byte(name)); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
