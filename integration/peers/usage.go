package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what a process takes of the machine.
type Usage struct {
	Resident int64 // bytes of memory at the moment
	Peak     int64 // the most that it ever was
	Sockets  int   // open ones; not the connections to PostgreSQL, which are Unix sockets
	CPU      time.Duration
}

// clockTick is USER_HZ, which Linux fixes for what it shows in /proc.
const clockTick = 10 * time.Millisecond

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
	if u.CPU, err = processorTime(dir + "stat"); err != nil {
		return u, err
	}
	u.Sockets, err = networkSockets(dir)
	return u, err
}

// networkSockets counts the open sockets of a process that are no Unix sockets. dir is the process's directory in /proc.
func networkSockets(dir string) (n int, err error) {
	open, err := os.ReadDir(dir + "fd")
	if err != nil {
		return 0, err
	}
	unix, err := os.ReadFile(dir + "net/unix")
	if err != nil {
		return 0, err
	}
	local := map[string]bool{}
	for line := range strings.SplitSeq(string(unix), "\n") {
		if fields := strings.Fields(line); len(fields) > 6 { // the seventh is the inode
			local["socket:["+fields[6]+"]"] = true
		}
	}
	for _, f := range open {
		if to, err := os.Readlink(dir + "fd/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:") && !local[to] { // others may be closed by now
			n++
		}
	}
	return n, nil
}

// processorTime is what a process has used of all processors.
func processorTime(file string) (time.Duration, error) {
	stat, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s cannot be read", file)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
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

// State is what the process reports of its memory and goroutines.
type State struct {
	Goroutines int
	Heap       int64 // bytes
}

// Held asks the process for its state; it gives memory back to the system first.
func (d *Dragoman) Held(ctx context.Context) (s State, err error) {
	const mark = "msg=state "
	_, before := d.log.Last(mark)
	d.Signal(syscall.SIGUSR1)
	err = Poll(ctx, func() error {
		line, n := d.log.Last(mark)
		if n <= before {
			return errors.New("the process does not tell its state")
		}
		_, line, _ = strings.Cut(line, mark)
		_, err := fmt.Sscanf(line, "goroutines=%d heap=%d", &s.Goroutines, &s.Heap)
		return err
	})
	return s, err
}
