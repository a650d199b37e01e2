package peers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ircPort is the port that biboumi connects to unless a user says otherwise.
const ircPort = 6667

// StartIRC runs an ngircd and returns its host: an address of its own on loopback, as
// biboumi looks for the server on its usual port.
func StartIRC(t testing.TB) string {
	t.Helper()
	bin := Need(t, "ngircd")
	dir := t.TempDir()
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(255), 1+rand.IntN(250))
	config := fmt.Sprintf(`[Global]
	Name = irc.test.example
	Info = Test
	AdminInfo1 = Test
	AdminEMail = admin@test.example
	MotdPhrase = Welcome
	Listen = %s
	Ports = %d
	PidFile =
[Limits]
	MaxConnectionsIP = 0
	MaxNickLength = 30
	ConnectRetry = 60
[Options]
	DNS = no
	Ident = no
	PAM = no
	SyslogFacility = local1
`, host, ircPort)
	path := filepath.Join(dir, "ngircd.conf")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	p := Spawn(t, NewLog(t, "ngircd"), exec.Command(bin, "-n", "-f", path))
	p.WaitListening(t, fmt.Sprintf("%s:%d", host, ircPort))
	return host
}

// StartBiboumi attaches a biboumi to a server as the component c.
func StartBiboumi(t testing.TB, server *Server, c Component) *Process {
	t.Helper()
	bin := Need(t, "biboumi")
	dir := t.TempDir()
	var port int
	if _, err := fmt.Sscanf(server.ComponentAddr, "127.0.0.1:%d", &port); err != nil {
		t.Fatalf("component address %s: %v", server.ComponentAddr, err)
	}
	config := fmt.Sprintf("hostname=%s\npassword=%s\nxmpp_server_ip=127.0.0.1\nport=%d\ndb_name=%s\nidentd_port=0\nlog_level=0\n",
		c.Domain, c.Secret, port, filepath.Join(dir, "biboumi.sqlite"))
	path := filepath.Join(dir, "biboumi.cfg")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, path)
	cmd.Dir = dir
	return Spawn(t, NewLog(t, "biboumi"), cmd)
}
