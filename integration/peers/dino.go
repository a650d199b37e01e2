package peers

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
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
	*Widgets
	log  *Log // what it sends and receives, of this run
	proc *Process
}

// StartDino starts Dino for an account, whose domain must lead to this machine.
func StartDino(t testing.TB, address, password string) *Dino {
	t.Helper()
	dir := t.TempDir()
	d := &Dino{Data: filepath.Join(dir, "data", "dino"), Widgets: newWidgets(t, startScreen(t, dir, "--name", "^Dino$"), dir)}
	d.startBus(t, d.command)
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

// Start starts Dino again on its data.
func (d *Dino) Start(t testing.TB) {
	t.Helper()
	d.log = NewLog(t, "dino")
	d.proc = Spawn(t, d.log, d.command(t.Context(), "dino-im", "--print-xmpp=all"))
}

// command returns a command on Dino's screen.
func (d *Dino) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = d.env
	cmd.WaitDelay = time.Second // others may hold its output
	return cmd
}

// Window is another window of Dino's, by its title.
func (d *Dino) Window(title string) *Screen {
	return &Screen{find: []string{"--name", title}, env: d.env}
}

// Open opens an address such as xmpp:bob@localhost?message in the Dino that runs.
func (d *Dino) Open(ctx context.Context, address string) error { return d.run(ctx, "dino-im", address) }

// End ends Dino at once, without a goodbye.
func (d *Dino) End() {
	_ = syscall.Kill(-d.proc.PID(), syscall.SIGKILL) // the process group
	<-d.proc.Done()
}

// Ended reports whether Dino has ended by itself.
func (d *Dino) Ended() bool {
	select {
	case <-d.proc.Done():
		return true
	default:
		return false
	}
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
