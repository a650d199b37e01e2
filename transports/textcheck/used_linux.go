package textcheck

import (
	"syscall"
	"time"
)

// threadUsage is RUSAGE_THREAD of getrusage(2).
const threadUsage = 1

// used is the processor time that this thread has taken: other processes do not count.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(threadUsage, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
