package blob

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Errors of a storage. A file that does not exist is fs.ErrNotExist.
var (
	// ErrContent is returned if the content could not be read, or has another length: the sender's mistake.
	ErrContent = errors.New("the content has not come as announced")
	// ErrID is returned for an id that this package does not use as the name of a file.
	ErrID = errors.New("not the id of a file")
	// ErrUnenforced is returned for a storage that takes files of another size than their address is signed for.
	ErrUnenforced = errors.New("the signed size is not enforced")
)

// Full is an error because there is no room for a file. Its cause is what the system said.
type Full struct{ Cause error }

func (f *Full) Error() string { return "no room for the file: " + f.Cause.Error() }

// Unwrap returns the cause.
func (f *Full) Unwrap() error { return f.Cause }

// TryLater marks the error as temporary.
func (f *Full) TryLater() bool { return true }

// fullDisk wraps the errors of the system that mean a full disk.
func fullDisk(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return &Full{err}
	}
	return err
}

// Lengths of ids.
const (
	minID = 16
	maxID = 64
)

// CheckID accepts lower-case letters and digits: no id is a path.
func CheckID(id string) error {
	ok := len(id) >= minID && len(id) <= maxID
	for i := range len(id) {
		ok = ok && (id[i] >= 'a' && id[i] <= 'z' || id[i] >= '0' && id[i] <= '9')
	}
	if !ok {
		return ErrID
	}
	return nil
}

// Reader is the content of a file that is stored: it has exactly that many bytes, or fails with ErrContent.
func Reader(content io.Reader, size int64) io.Reader { return &exact{content, size} }

type exact struct {
	content io.Reader
	left    int64
}

func (e *exact) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.content.Read(b[:min(int64(len(b)), e.left)])
	e.left -= int64(n)
	switch {
	case err == nil, errors.Is(err, io.EOF) && e.left == 0:
		return n, nil
	case errors.Is(err, io.EOF):
		return n, fmt.Errorf("%w: %d bytes are missing", ErrContent, e.left)
	}
	return n, fmt.Errorf("%w: %w", ErrContent, err)
}
