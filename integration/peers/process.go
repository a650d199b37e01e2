package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// RequireEnv names the variable that makes a missing peer a failure.
const RequireEnv = "DRAGOMAN_REQUIRE_PEERS"

// LogsEnv names the variable that holds a directory for the logs of all peers.
const LogsEnv = "DRAGOMAN_TEST_LOGS"

// Waits for processes.
const (
	startTimeout = 90 * time.Second
	stopTimeout  = 30 * time.Second
	pollEvery    = 5 * time.Millisecond
	shownLog     = 16 << 10 // bytes of a log that a failed test shows
	keptLog      = 1 << 20  // bytes of a log that are kept
)

// Need returns the path of an installed program. A missing one skips the test, or fails it
// if peers are required.
func Need(t testing.TB, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, program+" is not installed")
	return ""
}

// Missing ends a test that cannot have its peer.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(RequireEnv) != "" {
		t.Fatalf("%s, and %s is set", why, RequireEnv)
	}
	t.Skip(why)
}

// Process is a program that runs.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  *Log
	done chan struct{}
}

// Spawn starts a program. The log may be shared by several runs of it. It is killed at the
// end of the test if it still runs.
func Spawn(t testing.TB, log *Log, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := Launch(log, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// Launch is Spawn outside of tests: Kill or Stop the process.
func Launch(log *Log, cmd *exec.Cmd) (*Process, error) {
	p := &Process{name: cmd.Args[0], cmd: cmd, log: log, done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	// The peers end with the test process, also when that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in ProcessState
	}()
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// State says how the process ended; nil while it runs.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.done:
		return p.cmd.ProcessState
	default:
		return nil
	}
}

// Kill ends the process at once (SIGKILL) and waits.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the process to end (SIGTERM) and waits; it says how it ended.
func (p *Process) Stop() (*os.ProcessState, error) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.cmd.ProcessState, nil
	case <-time.After(stopTimeout):
		p.Kill()
		return p.cmd.ProcessState, fmt.Errorf("%s did not end within %v of SIGTERM", p.name, stopTimeout)
	}
}

// WaitListening returns once addr accepts connections.
func (p *Process) WaitListening(t testing.TB, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	var dialer net.Dialer
	err := Poll(ctx, func() error {
		if state := p.State(); state != nil {
			t.Fatalf("%s ended before it listened: %v\n%s", p.name, state, p.log.Tail())
		}
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s does not listen on %s: %v\n%s", p.name, addr, err, p.log.Tail())
	}
}

// Poll calls try until it succeeds or ctx ends; then it returns the last error that says
// more than that.
func Poll(ctx context.Context, try func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last error
	for {
		err := try()
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last
		}
	}
}

// given are the ports that FreePort has named.
var given sync.Map

// Ports for servers lie below those that systems choose for clients: while a server is down
// to be started again, nobody else gets its port by chance.
const (
	firstPort = 10_000
	lastPort  = 32_000
)

// FreePort is a TCP port of 127.0.0.1 that nothing listens on, another one at each call.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if _, named := given.LoadOrStore(port, true); named {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no port is free")
	return 0
}

// Log keeps the end of what processes write and shows it if the test fails.
type Log struct {
	mu   sync.Mutex
	text []byte
	tee  io.Writer
}

// NewLog makes a log for a test.
func NewLog(t testing.TB, title string) *Log {
	l := &Log{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of %s:\n%s", title, l.Tail())
		}
	})
	if dir := os.Getenv(LogsEnv); dir != "" {
		f, err := os.CreateTemp(dir, title+"-*.log")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		_, _ = fmt.Fprintf(f, "# %s\n", t.Name())
		l.tee = f
	}
	return l
}

func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	if len(l.text) > 2*keptLog {
		l.text = append([]byte(nil), l.text[len(l.text)-keptLog:]...)
	}
	if l.tee != nil {
		_, _ = l.tee.Write(b)
	}
	return len(b), nil
}

// Contains reports whether text was written.
func (l *Log) Contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text, []byte(text))
}

// Tail is the last part of the log.
func (l *Log) Tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[max(0, len(l.text)-shownLog):])
}

// Last is the last line with text, and how many there are.
func (l *Log) Last(text string) (line string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range bytes.Lines(l.text) {
		if bytes.Contains(s, []byte(text)) {
			line = string(s)
			n++
		}
	}
	return line, n
}
