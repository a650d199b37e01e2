package demo

import (
	"context"
	"fmt"
	"log/slog"
)

// logger prints errors of the server, and its warnings after showWarnings: while it starts it warns of the
// self-signed certificate, which the demo wants.
func (s *screen) logger() *slog.Logger {
	s.level.Set(slog.LevelError)
	return slog.New(&screenLog{screen: s})
}

// showWarnings has warnings printed from now on.
func (s *screen) showWarnings() { s.level.Set(slog.LevelWarn) }

// screenLog is a slog.Handler that prints warnings and errors among the other lines.
type screenLog struct {
	screen *screen
	attrs  string
}

// Enabled implements slog.Handler.
func (l *screenLog) Enabled(_ context.Context, level slog.Level) bool {
	return level >= l.screen.level.Level()
}

// Handle prints a record on one line.
func (l *screenLog) Handle(_ context.Context, r slog.Record) error {
	text, kind := r.Message+l.attrs, yellow
	r.Attrs(func(a slog.Attr) bool {
		text += attrText(a)
		return true
	})
	if r.Level >= slog.LevelError {
		kind = red
	}
	for i, part := range wrap(text, l.screen.columns-networkColumns) {
		l.screen.line(span{[]string{"log", ""}[min(i, 1)], kind, networkColumns}, span{text: part})
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l *screenLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *l
	for _, a := range attrs {
		with.attrs += attrText(a)
	}
	return &with
}

// WithGroup implements slog.Handler; groups are not used here.
func (l *screenLog) WithGroup(string) slog.Handler { return l }

func attrText(a slog.Attr) string { return fmt.Sprintf("  %s=%v", a.Key, a.Value) }
