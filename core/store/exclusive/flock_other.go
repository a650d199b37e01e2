//go:build !unix || solaris || aix

package exclusive

import "os"

// lockFile does nothing: these systems have no flock(2).
func lockFile(*os.File) error { return nil }
