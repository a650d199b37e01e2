package peers

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// StartSlidge runs slidge as a component of a server, with a network of its own: the Python module in a directory.
func StartSlidge(t testing.TB, server *Server, c Component, dir, module string) {
	t.Helper()
	program := Need(t, "slidge")
	host, port, err := net.SplitHostPort(server.ComponentAddr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-d", "--jid", c.Domain, "--secret", c.Secret, "--legacy-module", module, "--home-dir", t.TempDir(),
		"--server", host, "--port", port, "--user-jid-validator", ".*@"+server.Host, "--upload-service", "upload."+server.Host)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+dir, "PYTHONDONTWRITEBYTECODE=1")
	Spawn(t, NewLog(t, "slidge"), cmd)
}
