package peers

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

//go:embed widgets.py
var widgetsScript []byte

// Widgets reads and presses what a program with accessible widgets (AT-SPI) shows on its screen.
type Widgets struct {
	*Screen
	script string
}

// newWidgets returns the widgets of the program on a screen.
func newWidgets(t testing.TB, s *Screen, dir string) *Widgets {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", "import gi; gi.require_version('Atspi', '2.0')").CombinedOutput(); err != nil {
		Missing(t, fmt.Sprintf("AT-SPI is not installed for %s: %s", python, out))
	}
	w := &Widgets{Screen: s, script: filepath.Join(dir, "widgets.py")}
	if err := os.WriteFile(w.script, widgetsScript, 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// Shown waits until all of these texts are shown, in any order.
func (w *Widgets) Shown(ctx context.Context, texts ...string) error {
	_, err := w.ask(ctx, append([]string{"shows"}, texts...)...)
	return err
}

// Hidden waits until a text is not shown.
func (w *Widgets) Hidden(ctx context.Context, text string) error {
	_, err := w.ask(ctx, "hides", text)
	return err
}

// Press presses the widget of a role, such as "push button", that is beside a text or has it. It waits until there is one.
func (w *Widgets) Press(ctx context.Context, role, text string) error {
	out, err := w.ask(ctx, "presses", role, text)
	var x, y int
	if n, _ := fmt.Sscan(out, &x, &y); err != nil || n < 2 {
		return err
	}
	return w.Click(ctx, x, y) // it has no action
}

// CloseWindow closes the window with a title.
func (w *Widgets) CloseWindow(ctx context.Context, title string) error {
	_, err := w.ask(ctx, "closes", title)
	return err
}

// ask runs the script, which waits until it can answer.
func (w *Widgets) ask(ctx context.Context, args ...string) (string, error) {
	out, err := w.command(ctx, args...).CombinedOutput()
	if err == nil {
		return string(bytes.TrimSpace(out)), nil
	}
	// What was shown instead tells why.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout)
	defer cancel()
	shown, _ := w.command(late, "lists").CombinedOutput()
	return "", fmt.Errorf("widgets: %q: %w: %s; shown: %s", args, err, out, shown)
}

// listTimeout is for reading all widgets.
const listTimeout = 10 * time.Second

// command returns a command of the script.
func (w *Widgets) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, python, append([]string{"-W", "ignore", w.script}, args...)...)
	cmd.Env = w.env
	return cmd
}
