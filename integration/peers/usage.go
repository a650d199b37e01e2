package peers

import (
	"bytes"
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
	Sockets  int   // open ones
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
	for _, f := range open {
		if to, err := os.Readlink(dir + "fd/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:") { // others may be closed by now
			u.Sockets++
		}
	}
	return u, err
}

// Goroutines ends a dragoman process and returns the stacks of its goroutines, those of the Go runtime left out.
func (p *Process) Goroutines() ([]string, error) {
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // it writes down every goroutine
		return nil, err
	}
	<-p.done
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	last := bytes.LastIndex(p.log.text, []byte("SIGQUIT: quit")) // the log may hold runs before
	if last < 0 {
		return nil, fmt.Errorf("no goroutines in the log of %s", p.name)
	}
	var stacks []string
	for stack := range strings.SplitSeq(string(p.log.text[last:]), "\n\n") {
		if strings.HasPrefix(stack, "goroutine ") && strings.Contains(stack, "dragoman/core/") {
			stacks = append(stacks, stack)
		}
	}
	return stacks, nil
}
