package peers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Usage is what a process takes of the machine.
type Usage struct {
	Resident int64 // bytes of memory at the moment
	Peak     int64 // the most that it ever was
	Files    int   // open descriptors, sockets among them
}

// Usage asks the kernel about the process.
func (p *Process) Usage() (u Usage, err error) {
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return u, err
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		name, value, _ := strings.Cut(line, ":")
		var to *int64
		switch name {
		case "VmRSS":
			to = &u.Resident
		case "VmHWM":
			to = &u.Peak
		default:
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return u, fmt.Errorf("read %s: %w", line, err)
		}
		*to = n << 10
	}
	open, err := os.ReadDir(dir + "fd")
	u.Files = len(open)
	return u, err
}

// Goroutines ends the Go program of the process and counts what it was doing.
func (p *Process) Goroutines() (int, error) {
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // it writes down every goroutine
		return 0, err
	}
	<-p.done
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	_, dump, ok := strings.Cut(string(p.log.text), "SIGQUIT: quit")
	if !ok {
		return 0, fmt.Errorf("no goroutines in the log of %s", p.name)
	}
	return strings.Count(dump, "\ngoroutine "), nil
}
