package deletions

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

// Messages whose deletion has failed stay in the file, whatever else succeeds meanwhile, until it has succeeded.
func TestFailedDeletionsStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	l, _, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	one, two := []Key{{"alice@example.org", "1"}}, []Key{{"bob@example.org", "2"}}
	for i, step := range []struct {
		keys []Key
		err  error
		want []Key
	}{
		{one, errors.New("disk full"), one},
		{two, nil, one},
		{one, errors.New("disk full"), one},
		{one, nil, nil},
	} {
		if err := errors.Join(l.Begin(step.keys), l.End(step.keys, step.err)); err != nil {
			t.Fatal(err)
		}
		if left, err := read(path + suffix); err != nil || !slices.Equal(left, step.want) {
			t.Errorf("step %d: %v %v, want %v", i, left, err, step.want)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
