package peers

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// gajimAccount writes Gajim's settings: an account, and what would ask questions.
const gajimAccount = `
import json, os, sqlite3, sys
path, address, host, port, password = sys.argv[1:6]
user, _, domain = address.partition("@")
os.makedirs(os.path.dirname(path))
db = sqlite3.connect(path)
db.executescript("CREATE TABLE settings (name TEXT UNIQUE, settings TEXT); CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT); PRAGMA user_version=5;")
app = {"use_keyring": False, "check_for_update": False, "show_main_window_on_startup": "always", "confirm_close": False}
workspace = {"name": "Test", "color": "rgb(191,0,69)", "avatar_sha": "", "chats": []}
for name, value in {"app": app, "soundevents": {}, "status_presets": {}, "proxies": {}, "plugins": {}, "workspaces": {"test": workspace}}.items():
    db.execute("INSERT INTO settings VALUES (?, ?)", (name, json.dumps(value)))
account = {"name": user, "hostname": domain, "password": password, "resource": "gajim.test", "active": True,
    "use_custom_host": True, "custom_host": host, "custom_port": int(port), "request_user_data": False}
db.execute("INSERT INTO account_settings VALUES (?, ?)", ("test", json.dumps({"account": account, "contact": {}, "group_chat": {}})))
db.commit()
`

// Gajim is a Gajim under an X server of its own.
type Gajim struct {
	Dir string // its home
	*Screen
	trusted string // file with the only certificate that it trusts
	log     *Log   // what it sends and receives, of this run
	proc    *Process
}

// StartGajim starts Gajim for an account.
func StartGajim(t testing.TB, server *Server, account Account) *Gajim {
	t.Helper()
	for _, program := range []string{"gajim", "dbus-daemon", "gdbus", "unshare"} {
		Need(t, program)
	}
	g := &Gajim{Dir: t.TempDir(), trusted: server.CertFile}
	host, port, err := net.SplitHostPort(server.ClientAddr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "python3", "-c", gajimAccount, filepath.Join(g.Dir, "config", "gajim", "settings.sqlite"),
		account.User+"@"+server.Host, host, port, account.Password).CombinedOutput()
	if err != nil {
		t.Fatalf("settings of Gajim: %v: %s", err, out)
	}
	g.Screen = startScreen(t, g.Dir, "--name", "Gajim$")
	g.env = append(g.env, "NO_AT_BRIDGE=1")
	g.startBus(t, g.command)
	g.Start(t)
	return g
}

// asUser runs a program as a user who is not root, which Gajim does not accept, and whom D-Bus sees as the same one.
var asUser = []string{"unshare", "--user", "--map-user=1000", "--map-group=1000"}

// command returns a command of that user.
func (g *Gajim) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, asUser[0], append(append(asUser[1:len(asUser):len(asUser)], program), args...)...)
	cmd.Env = g.env
	cmd.WaitDelay = time.Second // others may hold its output
	return cmd
}

// Start starts Gajim again on its data.
func (g *Gajim) Start(t testing.TB) {
	t.Helper()
	g.log = NewLog(t, "gajim")
	// What it trusts is what the machine trusts, in a file that is replaced for it alone.
	script := `mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"`
	args := append([]string{"--user", "--map-root-user", "--mount", "sh", "-c", script, g.trusted}, append(asUser[:len(asUser):len(asUser)], "gajim", "--verbose")...)
	cmd := exec.Command("unshare", args...)
	cmd.Env = g.env
	cmd.WaitDelay = time.Second
	g.proc = Spawn(t, g.log, cmd)
}

// End ends Gajim at once, without a goodbye.
func (g *Gajim) End() {
	_ = syscall.Kill(-g.proc.PID(), syscall.SIGKILL) // the process group
	<-g.proc.Done()
}

// Await waits until Gajim has sent or received all of these texts since its start.
func (g *Gajim) Await(ctx context.Context, parts ...string) error {
	return Poll(ctx, func() error {
		for _, part := range parts {
			if !g.log.Contains(part) {
				return fmt.Errorf("Gajim neither sends nor receives %q; the end of what it does: %s", part, g.log.Tail())
			}
		}
		return nil
	})
}

// Last is the last line of what Gajim has sent and received with a text in it.
func (g *Gajim) Last(text string) string {
	line, _ := g.log.Last(text)
	return line
}

// Activate activates an action of the application, "" or of its main window, "/window/1". The parameter is in GVariant's text format; "" is none.
func (g *Gajim) Activate(ctx context.Context, of, action, parameter string) error {
	parameters := "[]"
	if parameter != "" {
		parameters = "[<" + parameter + ">]"
	}
	out, err := g.command(ctx, "gdbus", "call", "--session", "--dest", "org.gajim.Gajim", "--object-path", "/org/gajim/Gajim"+of,
		"--method", "org.gtk.Actions.Activate", action, parameters, "{}").CombinedOutput()
	if err != nil {
		return fmt.Errorf("action %s of Gajim: %w: %s", action, err, out)
	}
	return nil
}

// Window is another window of Gajim's, by its title.
func (g *Gajim) Window(title string) *Screen {
	return &Screen{find: []string{"--name", title}, env: g.env}
}
