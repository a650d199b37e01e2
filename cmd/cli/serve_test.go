package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A process that is asked to stop while it opens its database has not failed: systemd would start it again or report it.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name, data string
		fails      bool
	}{
		{"stopped", filepath.Join(dir, "data"), false},
		{"stopped, and the data directory cannot be made", filepath.Join(blocked, "data"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "dragoman.toml")
			if err := os.WriteFile(file, fmt.Appendf(nil, "[server]\ndata = %q\n", c.data), 0o600); err != nil {
				t.Fatal(err)
			}
			root := Root(nil)
			root.SetArgs([]string{"serve", "-c", file})
			if err := root.ExecuteContext(stopped); (err != nil) != c.fails {
				t.Errorf("serve: %v", err)
			}
		})
	}
}
