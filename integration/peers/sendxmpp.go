package peers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// SendXMPP sends one message with go-sendxmpp, a client that shares no code with the
// others.
func (s *Server) SendXMPP(ctx context.Context, t testing.TB, from Account, to, body string) error {
	t.Helper()
	bin := Need(t, "go-sendxmpp")
	cmd := exec.CommandContext(ctx, bin, "-u", from.User+"@"+s.Host, "-p", from.Password, "-j", s.ClientAddr, to)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "SSL_CERT_FILE="+s.CertFile, "SSL_CERT_DIR="+t.TempDir())
	cmd.Stdin = strings.NewReader(body + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go-sendxmpp: %w\n%s", err, out)
	}
	return nil
}

// ListenXMPP runs go-sendxmpp as a receiver; what it gets is in the log.
func ListenXMPP(t testing.TB, server *Server, as Account) *Log {
	t.Helper()
	bin := Need(t, "go-sendxmpp")
	log := NewLog(t, "go-sendxmpp")
	cmd := exec.Command(bin, "-l", "-u", as.User+"@"+server.Host, "-p", as.Password, "-j", server.ClientAddr)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "SSL_CERT_FILE="+server.CertFile, "SSL_CERT_DIR="+t.TempDir())
	Spawn(t, log, cmd)
	return log
}
