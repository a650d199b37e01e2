package blob

import "os"

// Free returns how many bytes are free on the disk of a directory; -1 where that is not known.
func Free(dir *os.Root) (int64, error) { return freeSpace(dir) }
