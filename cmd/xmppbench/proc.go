package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is USER_HZ, which Linux fixes for what it shows in /proc.
const clockTick = 10 * time.Millisecond

// usage is what processes have used.
type usage struct {
	cpu    time.Duration // with all children, also those that have ended
	rss    int64         // bytes of the first process
	parent int           // of one process
}

// measure reads the usage of processes; the zero value if none is known.
func measure(pids []int) (usage, error) {
	var sum usage
	for i, pid := range pids {
		one, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return usage{}, err
		}
		sum.cpu += one.cpu
		if i == 0 {
			sum.rss = one.rss
		}
		children, err := childrenCPU(pid)
		if err != nil {
			return usage{}, err
		}
		sum.cpu += children
	}
	return sum, nil
}

// childrenCPU is the CPU of the children that run: a database server has one for each connection.
func childrenCPU(pid int) (time.Duration, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, path := range stats {
		u, err := readStat(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended: its parent counts it now
		}
		if err != nil {
			return 0, err
		}
		if u.parent == pid {
			sum += u.cpu
		}
	}
	return sum, nil
}

// readStat reads the usage of one process with its children that have ended (proc(5)).
func readStat(path string) (usage, error) {
	stat, err := os.ReadFile(path)
	if err != nil {
		return usage{}, err
	}
	_, rest, ok := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 22 {
		return usage{}, fmt.Errorf("%s cannot be read", path)
	}
	number := func(field string) int64 {
		n, failed := strconv.ParseInt(field, 10, 64)
		err = errors.Join(err, failed)
		return n
	}
	u := usage{parent: int(number(fields[1])), rss: number(fields[21]) * int64(os.Getpagesize())}
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		u.cpu += time.Duration(number(field)) * clockTick
	}
	if err != nil {
		return usage{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return u, nil
}
