//go:build !linux

package textcheck

import "time"

var start = time.Now()

// used is the time since the start, where that of a thread is not known.
func used() time.Duration { return time.Since(start) }
