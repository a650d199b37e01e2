package peers

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// profanityAccount is the file in which profanity keeps its account. The certificate's authority is not one of the machine's.
const profanityAccount = `[test]
enabled=true
jid=%s
resource=profanity
server=%s
port=%s
password=%s
tls.policy=trust
muc.nick=%s
`

// Profanity is a profanity in a terminal of its own. Its log has what it sends and receives.
type Profanity struct {
	Dir     string // its home
	keys    io.WriteCloser
	logFile string
	proc    *Process
	screen  *Log
}

// StartProfanity starts profanity, which logs in to an account. In dir are its files; a later one on the same account uses them again.
func StartProfanity(t testing.TB, server *Server, account Account, dir string) *Profanity {
	t.Helper()
	Need(t, "profanity")
	Need(t, "script")
	host, port, err := net.SplitHostPort(server.ClientAddr)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data", "profanity")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(profanityAccount, account.User+"@"+server.Host, host, port, account.Password, account.User)
	if err := os.WriteFile(filepath.Join(data, "accounts"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Profanity{Dir: dir, screen: NewLog(t, "profanity")}
	logs, err := os.CreateTemp(dir, "*.log")
	if err != nil {
		t.Fatal(err)
	}
	p.logFile = logs.Name()
	if err := logs.Close(); err != nil {
		t.Fatal(err)
	}
	// Programs that draw on terminals need one. script gives it a session of its own, in which it would go on without it, using a processor.
	cmd := exec.Command("script", "--quiet", "--flush", "--return", "--command", "exec setpriv --pdeathsig KILL profanity -a test -l DEBUG -f "+p.logFile, "/dev/null")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_DATA_HOME="+filepath.Join(dir, "data"),
		"TERM=xterm", "LANG=C.UTF-8", "LINES=40", "COLUMNS=120")
	if p.keys, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	p.proc = Spawn(t, p.screen, cmd)
	return p
}

// Type types a line.
func (p *Profanity) Type(line string) error {
	_, err := io.WriteString(p.keys, line+"\r")
	return err
}

// Await waits until a line of the log has all of these texts, and returns the line.
func (p *Profanity) Await(ctx context.Context, parts ...string) (string, error) {
	var found string
	err := Poll(ctx, func() error {
		text, err := os.ReadFile(p.logFile)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if containsAll(line, parts) {
				found = line
				return nil
			}
		}
		if p.proc.State() != nil {
			return fmt.Errorf("profanity has ended; the screen: %s", p.screen.Tail())
		}
		return fmt.Errorf("profanity's log has no line with %q; its end: %s", parts, text[max(0, len(text)-shownLog):])
	})
	return found, err
}

// Count is the number of lines of the log that have all of these texts.
func (p *Profanity) Count(parts ...string) (n int, err error) {
	text, err := os.ReadFile(p.logFile)
	for line := range strings.Lines(string(text)) {
		if containsAll(line, parts) {
			n++
		}
	}
	return n, err
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// Quit ends profanity by its command.
func (p *Profanity) Quit(ctx context.Context) error {
	if err := p.Type("/quit"); err != nil {
		return err
	}
	select {
	case <-p.proc.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("profanity does not end: %w", ctx.Err())
	}
}
