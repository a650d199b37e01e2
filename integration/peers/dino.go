package peers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dinoAccount enters an account into Dino's database, as its dialogue does.
const dinoAccount = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute("INSERT OR REPLACE INTO account (bare_jid, resourcepart, password, alias, enabled) VALUES (?, 'dino.test', ?, '', 1)", sys.argv[2:4])
db.commit()
`

// Dino is a Dino under an X server of its own. It connects to port 5222 of the account's domain.
type Dino struct {
	Data string // its directory for data
	env  []string
	log  *Log // what it sends and receives, of this run
	proc *Process
}

// StartDino starts Dino for an account, whose domain must lead to this machine.
func StartDino(t testing.TB, address, password string) *Dino {
	t.Helper()
	dir := t.TempDir()
	d := &Dino{Data: filepath.Join(dir, "data", "dino"), log: NewLog(t, "Xvfb")}
	run := filepath.Join(dir, "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY":
		default:
			d.env = append(d.env, v)
		}
	}
	d.env = append(d.env, "HOME="+dir, "XDG_RUNTIME_DIR="+run, "XDG_DATA_HOME="+filepath.Dir(d.Data), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"),
		"XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "GDK_BACKEND=x11", "GSK_RENDERER=cairo", "LIBGL_ALWAYS_SOFTWARE=1", "GTK_A11Y=none", "NO_AT_BRIDGE=1",
		"DISPLAY="+d.display(t))
	d.Start(t)
	// The first run makes the database.
	err := Poll(t.Context(), func() error {
		out, err := exec.CommandContext(t.Context(), "python3", "-c", dinoAccount, filepath.Join(d.Data, "dino.db"), address, password).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d.End()
	d.Start(t)
	return d
}

// display starts an X server and returns its name.
func (d *Dino) display(t testing.TB) string {
	t.Helper()
	var number bytes.Buffer
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{write}
	Spawn(t, d.log, cmd)
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

// Start starts Dino again on its data.
func (d *Dino) Start(t testing.TB) {
	t.Helper()
	d.log = NewLog(t, "dino")
	cmd := exec.Command("dbus-run-session", "dino-im", "--print-xmpp=all")
	cmd.Env = d.env
	cmd.WaitDelay = time.Second // others may hold its output
	d.proc = Spawn(t, d.log, cmd)
}

// End ends Dino and its D-Bus at once, without a goodbye.
func (d *Dino) End() {
	_ = syscall.Kill(-d.proc.PID(), syscall.SIGKILL) // the process group
	<-d.proc.Done()
}

// Await waits until Dino has sent or received all of these texts since its start.
func (d *Dino) Await(ctx context.Context, parts ...string) error {
	return Poll(ctx, func() error {
		for _, part := range parts {
			if !d.log.Contains(part) {
				return fmt.Errorf("Dino neither sends nor receives %q; the end of what it does: %s", part, d.log.Tail())
			}
		}
		return nil
	})
}

// Keys presses keys and types a text in Dino's window.
func (d *Dino) Keys(ctx context.Context, text string, keys ...string) error {
	args := append([]string{"search", "--sync", "--onlyvisible", "--class", "dino", "windowfocus", "key", "--clearmodifiers"}, keys...)
	if text != "" {
		args = append(args, "type", "--delay", "30", text)
	}
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = d.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("xdotool: %w: %s", err, out)
	}
	return nil
}
