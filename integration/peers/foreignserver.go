package peers

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

//go:embed foreign_server.py
var foreignServerScript []byte

// ForeignServer is a program in Python that opens and accepts connections of servers, and sends what it is given on them.
type ForeignServer struct{ script *script }

// Step is one step on a connection: its name and its arguments, as foreign_server.py lists them.
type Step []any

// Received is what came on a connection.
type Received struct {
	Names []string // of all elements: {namespace}name, and the attribute type
	Ended string   // how the connection ended: closed, timeout, or how it was reset
	Fault string   // why what came is not well-formed
	Text  string   // the last of it
}

// Has reports whether an element came.
func (r *Received) Has(name string) bool { return slices.Contains(r.Names, name) }

// StartForeignServer starts the program, which ends with the test.
func StartForeignServer(t testing.TB) *ForeignServer {
	t.Helper()
	if err := exec.CommandContext(t.Context(), python, "-c", "import ssl").Run(); err != nil {
		Missing(t, python+" is not installed")
	}
	file := filepath.Join(t.TempDir(), "server.py")
	if err := os.WriteFile(file, foreignServerScript, 0o600); err != nil {
		t.Fatal(err)
	}
	return &ForeignServer{startScript(t, "foreign server", exec.Command(python, "-u", file))}
}

// Dial opens a connection and runs the steps on it.
func (s *ForeignServer) Dial(ctx context.Context, addr string, steps ...Step) (r Received, err error) {
	err = s.script.Do(ctx, "dial", map[string]any{"address": addr, "steps": steps}, &r)
	return r, err
}

// Listen runs the steps on each connection that another server opens, and returns the port on 127.0.0.1.
func (s *ForeignServer) Listen(ctx context.Context, steps ...Step) (port int, err error) {
	err = s.script.Do(ctx, "listen", map[string]any{"steps": steps}, &port)
	return port, err
}

// Accepted is what came on the first connection at a port of Listen, when that has ended.
func (s *ForeignServer) Accepted(ctx context.Context, port int) (r Received, err error) {
	err = s.script.Do(ctx, "accepted", map[string]any{"port": port}, &r)
	return r, err
}
