package demo

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// Log records below the level Warn are not printed, nor are warnings before showWarnings is called.
func TestScreenLogs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := newScreen(&b)
	log := s.logger().With("jid", "ann@localhost")
	log.Warn("while it starts")
	s.showWarnings()
	log.Info("below the level")
	log.Warn("odd", slog.Int("times", 3))
	if got := b.String(); !strings.HasSuffix(got, "log      odd jid=ann@localhost times=3\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q", got)
	}
}
