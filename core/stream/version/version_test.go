package version

import "testing"

func TestLess(t *testing.T) {
	t.Parallel()
	a, b := Version{1, 10}, Version{1, 9}
	if a.Less(b) || !b.Less(a) || !(Version{2, 4}).Less(Version{2, 13}) || !(Version{2, 13}).Less(Version{12, 3}) {
		t.Error("versions compare as text")
	}
}
