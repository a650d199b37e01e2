package peers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Screen is an X server for one graphical program, whose files are in a directory.
type Screen struct {
	find []string // xdotool's search for the window
	env  []string
	bus  string // socket of the program's D-Bus
}

// startScreen starts an X server.
func startScreen(t testing.TB, dir string, find ...string) *Screen {
	t.Helper()
	Need(t, "xdotool")
	run := filepath.Join(dir, "run")
	s := &Screen{find: find, bus: filepath.Join(run, "bus")}
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY":
		default:
			s.env = append(s.env, v)
		}
	}
	s.env = append(s.env, "HOME="+dir, "XDG_RUNTIME_DIR="+run, "XDG_DATA_HOME="+filepath.Join(dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"),
		"XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "GDK_BACKEND=x11", "GSK_RENDERER=cairo", "LIBGL_ALWAYS_SOFTWARE=1",
		"DISPLAY="+display(t), "DBUS_SESSION_BUS_ADDRESS=unix:path="+s.bus)
	return s
}

// startBus starts the program's D-Bus with the command that runs a program as its user.
func (s *Screen) startBus(t testing.TB, command func(ctx context.Context, program string, args ...string) *exec.Cmd) {
	t.Helper()
	Spawn(t, NewLog(t, "dbus-daemon"), command(t.Context(), Need(t, "dbus-daemon"), "--session", "--nofork", "--address=unix:path="+s.bus))
	err := Poll(t.Context(), func() error {
		_, err := os.Stat(s.bus)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// display starts an X server and returns its name.
func display(t testing.TB) string {
	t.Helper()
	var number bytes.Buffer
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command(Need(t, "Xvfb"), "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{write}
	Spawn(t, NewLog(t, "Xvfb"), cmd)
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	for !bytes.HasSuffix(number.Bytes(), []byte("\n")) {
		b := make([]byte, 1)
		if _, err := read.Read(b); err != nil {
			t.Fatalf("Xvfb does not start: %v", err)
		}
		number.Write(b)
	}
	return ":" + strings.TrimSpace(number.String())
}

// Keys presses keys and types a text in the program's window.
func (s *Screen) Keys(ctx context.Context, text string, keys ...string) error {
	var args []string
	if len(keys) > 0 {
		args = append([]string{"key", "--clearmodifiers"}, keys...)
	}
	if text != "" {
		args = append(args, "type", "--delay", "30", text)
	}
	return s.run(ctx, "xdotool", s.in("windowfocus", args...)...)
}

// Click clicks at a point of the window.
func (s *Screen) Click(ctx context.Context, x, y int) error {
	return s.run(ctx, "xdotool", s.in("mousemove", "--window", "%1", strconv.Itoa(x), strconv.Itoa(y), "click", "1")...)
}

// Gone waits until there is no such window.
func (s *Screen) Gone(ctx context.Context) error {
	return Poll(ctx, func() error {
		if s.run(ctx, "xdotool", append([]string{"search", "--onlyvisible"}, s.find...)...) == nil {
			return fmt.Errorf("a window %q is there", s.find)
		}
		return nil
	})
}

// in returns the arguments of xdotool for an action in the window, once that is there.
func (s *Screen) in(action string, args ...string) []string {
	return append(append(append([]string{"search", "--sync", "--onlyvisible"}, s.find...), action), args...)
}

// run runs a program that works on the screen.
func (s *Screen) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}
